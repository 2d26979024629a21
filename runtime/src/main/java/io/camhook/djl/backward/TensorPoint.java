package io.camhook.djl.backward;

import ai.djl.ndarray.NDArray;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.JniUtils;
import io.camhook.dispatch.HookArguments;
import io.camhook.dispatch.HookEntry;
import io.camhook.dispatch.HookList;
import io.camhook.dispatch.HookTypes;
import io.camhook.dispatch.WeakIdentityMap;
import io.camhook.djl.autograd.AutogradGateway;
import io.camhook.djl.autograd.Tensors;
import io.camhook.djl.memory.Handles;
import java.lang.ref.WeakReference;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The hooks of one tensor that is an operator's result. The application's array receives a new
 * native tensor after a cut, so that the gradient from every later use arrives there. A point
 * without hooks only prevents the graph before it from being run more than once.
 */
final class TensorPoint extends GradPoint {
  private final Cut cut;
  private final long version;
  private final WeakReference<NDArray> tensor;
  private final HookList hooks = new HookList();
  private boolean retained;
  private @Nullable NDArray last; // gradient of the current backward, after the hooks
  private @Nullable NDArray sum; // of all backwards

  private TensorPoint(long sequence, Cut cut, long version, NDArray tensor) {
    super(sequence);
    this.tensor = new WeakReference<>(tensor);
    this.cut = cut;
    this.version = version;
  }

  /**
   * Makes the point.
   *
   * @param first whether the tensor had none before, so that its age shows its place in the graph
   */
  static TensorPoint of(NDArray tensor, boolean first) {
    AutogradGateway autograd = AutogradGateway.instance();
    boolean changed = autograd.version(tensor) > 0;
    long sequence = first && !changed ? Handles.made((PtNDArray) tensor) : System.nanoTime();
    boolean mode = JniUtils.isGradMode();
    JniUtils.setGradMode(true);
    try {
      Cut cut = Cut.of(tensor, false, null);
      Handles.moveInto((PtNDArray) tensor, (PtNDArray) cut.after());
      return new TensorPoint(sequence, cut, autograd.version(tensor), tensor);
    } finally {
      JniUtils.setGradMode(mode);
    }
  }

  HookList hooks() {
    return hooks;
  }

  /** Removes this point from its tensor. */
  void forgetIn(WeakIdentityMap<NDArray, TensorPoint> points) {
    NDArray array = tensor.get();
    if (array != null && points.get(array) == this) {
      points.remove(array);
    }
  }

  /** The old tensor, which receives the gradient after the hooks. */
  NDArray before() {
    return cut.before();
  }

  /** Whether no operator has changed the tensor in place since: hooks belong to a value. */
  boolean isCurrent(NDArray tensor) {
    return AutogradGateway.instance().version(tensor) == version;
  }

  @Override
  boolean isBare() {
    return hooks.isEmpty() && !retained;
  }

  /** Whether the tensor keeps its gradient. */
  boolean isRetained() {
    return retained;
  }

  /** From now on the tensor keeps its gradient. */
  void retainGrad(NDArray array) {
    if (!retained) {
      retained = true;
      AutogradGateway.instance().retainGrad(array);
    }
  }

  /** Like {@link #retainGrad}, for a tensor that has changed since {@code before} was made. */
  void retainGrad(NDArray array, TensorPoint before) {
    retainGrad(array);
    sum = before.sum;
    before.retained = false;
    before.sum = null;
  }

  /**
   * The tensor that keeps its gradient and has been changed in place since; null if there is none.
   */
  @Nullable NDArray changed() {
    NDArray array = tensor.get();
    if (!retained || array == null || ((PtNDArray) array).isReleased()) {
      return null;
    }
    return isCurrent(array) ? null : array;
  }

  /**
   * After a backward: sets the tensor's gradient to the one after the hooks, if it retains one. The
   * engine has accumulated a different one: the gradient before the hooks, once more for each read.
   */
  void retain() {
    NDArray array = tensor.get();
    NDArray seen = last;
    last = null;
    if (seen == null || array == null || ((PtNDArray) array).isReleased()) {
      return;
    }
    NDArray before = sum;
    NDArray now = before == null ? seen.duplicate() : before.add(seen);
    now.attach(AutogradGateway.instance().manager());
    sum = now;
    if (before != null) {
      before.close();
    }
    AutogradGateway.instance().setGrad(array, now);
  }

  @Override
  void release() {
    super.release();
    if (sum != null) {
      sum.close();
    }
  }

  @Override
  List<Cut> cuts() {
    return List.of(cut);
  }

  @Override
  boolean isReachedDirectly() {
    return !isBare();
  }

  @Override
  @Nullable List<@Nullable NDArray> fire(List<@Nullable NDArray> gradients) {
    NDArray gradient = gradients.get(0);
    if (gradient == null) {
      return null;
    }
    last = retained ? Tensors.ownAlias(gradient) : null;
    NDArray replaced = run(hooks, gradient);
    if (replaced == null) {
      return null;
    }
    requireShape(replaced, cut.before());
    last = retained ? replaced : null;
    return List.of(replaced);
  }

  /**
   * Runs tensor hooks one after the other. Each may change or close its argument; only its return
   * value counts.
   *
   * @return the last non-null return value; null if there is none
   */
  static @Nullable NDArray run(HookList hooks, NDArray gradient) {
    NDArray seen = gradient;
    boolean any = false;
    HookEntry[] entries = hooks.snapshot();
    for (int i = 0; i < entries.length; i++) {
      boolean last = i + 1 == entries.length;
      NDArray shown = last ? seen : Tensors.loose(Tensors.alias(seen, seen.getManager()));
      NDArray replaced = call(entries[i], shown);
      if (replaced != null) {
        seen = replaced;
        any = true;
      }
    }
    return any ? seen : null;
  }

  private static @Nullable NDArray call(HookEntry entry, NDArray gradient) {
    try {
      return (NDArray) entry.call(HookArguments.tensor(gradient));
    } catch (RuntimeException e) {
      throw HookTypes.named(e, entry, "an array of shape " + gradient.getShape());
    }
  }

  @Override
  String name() {
    return "tensor of shape " + cut.before().getShape();
  }
}
