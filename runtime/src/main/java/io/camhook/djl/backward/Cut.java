package io.camhook.djl.backward;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.JniUtils;
import io.camhook.djl.autograd.AutogradGateway;
import io.camhook.djl.autograd.NativeGrads;
import io.camhook.djl.autograd.SharedGrad;
import io.camhook.djl.autograd.Tensors;
import io.camhook.djl.memory.LooseArrays;
import org.jspecify.annotations.Nullable;

/**
 * A point where one graph ends and another begins: the computation continues from a leaf with the
 * same values, and the gradient arrives at that leaf. After the hooks have seen or changed it, it
 * starts another backward at the original value. Creating a cut needs grad mode.
 */
final class Cut {
  private final NDArray source; // perhaps loose, but must exist as long as the graph
  private final NDArray before;
  private final @Nullable NDArray leaf;
  private final NDArray after;
  private final String onlyLooking;
  private final LooseArrays lifetime;
  private final @Nullable Cut earlier;
  private @Nullable GradPoint point;
  private @Nullable NDArray brought;
  private long version = -1; // of the leaf's gradient when one was taken
  private boolean shared; // the leaf's gradient is a shared view

  private Cut(
      NDArray source,
      @Nullable NDArray leaf,
      NDArray after,
      String onlyLooking,
      @Nullable Cut earlier) {
    this.earlier = earlier;
    this.source = source;
    this.lifetime = LooseArrays.of(source.getManager());
    this.before = Tensors.ownAlias(source);
    this.leaf = leaf;
    this.after = after;
    this.onlyLooking = onlyLooking;
  }

  /**
   * Cuts after {@code array}.
   *
   * @param fragile whether an in-place change of the result is an error, as in PyTorch for the
   *     inputs and outputs of a module with backward hooks; otherwise the result is a copy
   * @param earlier the cut directly before this one, if {@code array} is the value after it
   */
  static Cut of(NDArray array, boolean fragile, @Nullable Cut earlier) {
    NDManager owner = array.getManager();
    NDArray leaf = Tensors.ownDetached(array);
    JniUtils.attachGradient((PtNDArray) leaf, true);
    NDArray after =
        fragile
            ? Tensors.ownedBy(
                JniUtils.reshape((PtNDArray) leaf, array.getShape().getShape()), owner)
            : AutogradGateway.instance().copyInGraph(leaf, owner);
    after.setName(array.getName());
    String refusal =
        array.getDevice().equals(Device.cpu())
            ? ""
            : "a gradient can be replaced on the CPU only, found " + array.getDevice();
    return new Cut(array, leaf, after, refusal, earlier);
  }

  /**
   * A cut at an existing node of the graph, where gradients can only be seen.
   *
   * @param refusal message for a hook that wants to replace a gradient
   */
  static Cut observing(NDArray array, String refusal) {
    return new Cut(array, null, array, refusal, null);
  }

  /** The point that it belongs to. */
  void belongsTo(GradPoint point) {
    this.point = point;
  }

  /** The point that it belongs to; null before the point is in a graph. */
  @Nullable GradPoint point() {
    return point;
  }

  /** The cut directly before this one; null if there is none. */
  @Nullable Cut earlier() {
    return earlier;
  }

  /**
   * Brings a gradient to the leaf without the engine, which would only pass it on. It is added to
   * what has arrived so far, in the order of arrival.
   */
  void bring(NDArray gradient, NDManager owner) {
    NDArray before = take(true, owner);
    brought = before == null ? gradient : Tensors.ownedBy(before.add(gradient), owner);
  }

  /** The lifetime of the arrays around it. */
  LooseArrays lifetime() {
    return lifetime;
  }

  /** The array after which the graph is cut. */
  NDArray source() {
    return source;
  }

  /** The value before the cut, where the gradient continues. */
  NDArray before() {
    return before;
  }

  /** The leaf at which the gradient arrives; null if the graph is not cut. */
  @Nullable NDArray leaf() {
    return leaf;
  }

  /** The value that the model continues with. */
  NDArray after() {
    return after;
  }

  /**
   * Checks that a gradient can be replaced here.
   *
   * @throws IllegalStateException if hooks can only look
   */
  void requireReplaceable() {
    if (!onlyLooking.isEmpty()) {
      throw new IllegalStateException(onlyLooking);
    }
  }

  /** Whether a backward has brought a gradient since the last {@link #take}. */
  boolean hasArrived() {
    if (brought != null) {
      return true;
    }
    if (leaf == null || shared || !NativeGrads.has(leaf)) {
      return false;
    }
    if (version < 0) {
      return true;
    }
    try (NDArray gradient = gradient()) {
      return gradient != null && isNew(gradient);
    }
  }

  private boolean isNew(NDArray gradient) {
    return version < 0 || AutogradGateway.instance().version(gradient) != version;
  }

  private @Nullable NDArray gradient() {
    return leaf == null ? null : JniUtils.getGradient((PtNDArray) leaf);
  }

  /**
   * The gradient that has arrived; null if none has.
   *
   * @param again whether another backward may come through the same graph
   * @param owner manager of the result
   */
  @Nullable NDArray take(boolean again, NDManager owner) {
    NDArray past = brought;
    brought = null;
    NDArray arrived = takeFromLeaf(again, owner);
    if (past == null || arrived == null) {
      return past == null ? arrived : past;
    }
    return Tensors.ownedBy(past.add(arrived), owner);
  }

  private @Nullable NDArray takeFromLeaf(boolean again, NDManager owner) {
    NDArray gradient = shared ? null : gradient();
    if (gradient == null) {
      return null;
    }
    if (!again && version < 0) {
      return Tensors.ownedBy(gradient, owner);
    }
    try (gradient) {
      if (!isNew(gradient)) {
        return null;
      }
      NDArray taken = gradient.duplicate();
      empty(gradient);
      return Tensors.ownedBy(taken, owner);
    }
  }

  private void empty(NDArray gradient) {
    AutogradGateway.instance().zero(gradient);
    version = AutogradGateway.instance().version(gradient);
  }

  /** Whether the engine's gradient at the leaf must be queried. */
  boolean isShared() {
    return shared;
  }

  /** Whether {@link #share} is possible: nothing has ever arrived. */
  boolean canShare() {
    return leaf != null
        && brought == null
        && !Tensors.isUnknown(leaf)
        && leaf.getDevice().equals(Device.cpu())
        && (shared || !NativeGrads.has(leaf));
  }

  /**
   * From now on a gradient from the engine shows only in {@code memory}, and must then be
   * {@linkplain #bring brought}.
   *
   * @return false if the leaf's gradient cannot be a view
   */
  boolean share(SharedGrad memory) {
    if (shared || leaf == null) {
      return shared;
    }
    shared = memory.share(leaf);
    NDArray gradient = shared ? null : gradient();
    if (gradient != null) {
      try (gradient) {
        empty(gradient);
      }
    }
    return shared;
  }

  /** Ends the cut's use by hooks; the graph may live on. */
  void release() {
    before.close();
    if (leaf != null) {
      leaf.close();
    }
  }
}
