package io.camhook.djl.backward;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.JniUtils;
import io.camhook.djl.autograd.Tensors;
import io.camhook.djl.memory.LooseArrays;
import org.jspecify.annotations.Nullable;

/**
 * A node in the graph that hands values on unchanged and lets gradients through, unless it is
 * closed: then the gradient that goes on is zero, to which a replacement can be added exactly.
 * Needs grad mode when it is made.
 */
final class Gate {
  private final NDArray source; // loose, perhaps, but to be there as long as the graph
  private final NDArray before;
  private final NDArray after;
  private final NDArray observed;
  private final GateMasks.@Nullable Mask mask;
  private final String closedOnlyWhere;
  private final LooseArrays lifetime;

  private Gate(
      NDArray source, NDArray after, GateMasks.@Nullable Mask mask, String closedOnlyWhere) {
    this.closedOnlyWhere = closedOnlyWhere;
    this.source = source;
    this.lifetime = LooseArrays.of(source.getManager());
    this.before = Tensors.ownAlias(source);
    this.after = after;
    this.observed = Tensors.ownAlias(after);
    this.mask = mask;
  }

  /**
   * Puts a gate behind {@code array}.
   *
   * @param fragile whether an in-place change of the result is an error, as PyTorch has it for the
   *     inputs and outputs of a module with backward hooks
   */
  static Gate behind(NDArray array, boolean fragile) {
    NDManager owner = array.getManager();
    if (!array.getDevice().equals(Device.cpu())) {
      return new Gate(
          array,
          Tensors.alias(array, owner),
          null,
          "a gradient can be replaced on the CPU only, found " + array.getDevice());
    }
    GateMasks.Mask mask = GateMasks.take();
    try (NDArray zero = owner.zeros(new Shape(), array.getDataType())) {
      NDArray after = JniUtils.where((PtNDArray) mask.array(), (PtNDArray) array, (PtNDArray) zero);
      after.attach(owner);
      Shape shape = after.getShape();
      if (fragile && shape.dimension() > 0 && shape.size() > 0) {
        // A result of `split` is a view that autograd does not let anyone change in place.
        NDList views = JniUtils.split((PtNDArray) after, shape.get(0), 0);
        after.close();
        after = views.head();
      }
      after.setName(array.getName());
      return new Gate(array, after, mask, "");
    }
  }

  /**
   * Stands at a node that is in the graph already, where gradients can only be seen.
   *
   * @param refusal what is said to a hook that wants more
   */
  static Gate observing(NDArray array, String refusal) {
    return new Gate(array, array, null, refusal);
  }

  /** How long the arrays around it live. */
  LooseArrays lifetime() {
    return lifetime;
  }

  /** The array that the gate is behind. */
  NDArray source() {
    return source;
  }

  /** Where the gradient goes on to. */
  NDArray before() {
    return before;
  }

  /** The tensor whose gradient hooks see, under a handle of our own. */
  NDArray observed() {
    return observed;
  }

  /** What the model goes on with. */
  NDArray after() {
    return after;
  }

  /**
   * Whether gradients are let through.
   *
   * @throws IllegalStateException if this gate cannot be closed
   */
  void open(boolean open) {
    if (mask != null) {
      mask.set(open);
    } else if (!open) {
      throw new IllegalStateException(closedOnlyWhere);
    }
  }

  /** Ends the gate's use by hooks; the graph may live on. */
  void release() {
    before.close();
    observed.close();
    if (mask != null) {
      mask.free();
    }
  }
}
