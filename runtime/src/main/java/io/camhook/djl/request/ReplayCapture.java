package io.camhook.djl.request;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Block;
import ai.djl.pytorch.engine.PtSymbolBlock;
import io.camhook.dispatch.BlockCall;
import io.camhook.djl.autograd.Tensors;
import org.jspecify.annotations.Nullable;

/**
 * The application's forward runs plain; then the root runs once more, only for the capture. Only
 * passes in inference mode are replayed, because they change no state.
 */
final class ReplayCapture extends PassStrategy {
  private final RequestScope scope;
  private final Object[] arguments;
  private final int index;
  private final boolean compare;
  private final NDManager scratch;
  private final NDList given = new NDList();
  private @Nullable PassCapture again;

  /**
   * @param compare whether the outputs of the two runs are compared
   */
  ReplayCapture(RequestScope scope, Object[] arguments, int index, boolean compare) {
    this.scope = scope;
    this.arguments = arguments.clone();
    this.index = index;
    this.compare = compare;
    NDList original = (NDList) arguments[1];
    this.scratch = original.head().getManager().getEngine().newBaseManager();
    try {
      for (NDArray array : original) {
        NDArray copy = Tensors.copyOf(array, scratch);
        copy.setName(array.getName());
        given.add(copy);
      }
    } catch (Throwable e) {
      scratch.close();
      throw e;
    }
  }

  @Override
  @Nullable BlockCall enter(Block block) {
    return again == null ? null : again.enter(block);
  }

  @Override
  @Nullable NDList run(PtSymbolBlock block, NDList inputs, boolean training) {
    return again == null ? null : again.run(block, inputs, training);
  }

  @Override
  boolean isReplaying() {
    return again != null;
  }

  /** The application's result is known, but the application has not seen it yet. */
  @Override
  @Nullable Object exit(@Nullable Object result, @Nullable Throwable thrown) {
    try (scratch) {
      if (thrown == null && result instanceof NDList plain) {
        replay(plain);
      }
    } catch (Throwable e) {
      scope.lost(e);
    }
    return result;
  }

  private void replay(NDList plain) {
    PassCapture capture = new PassCapture(scope, given, index, true);
    again = capture;
    try {
      NDList outputs = capture.finish(scope.forward(given, arguments));
      if (compare && capture.isCaptured()) {
        compare(plain, outputs);
      }
    } finally {
      capture.abandon();
      again = null;
    }
  }

  private void compare(NDList plain, NDList captured) {
    boolean same = plain.size() == captured.size();
    for (int i = 0; same && i < plain.size(); i++) {
      same = Tensors.toTensor(plain.get(i)).data().equals(Tensors.toTensor(captured.get(i)).data());
    }
    if (!same) {
      String note =
          "with gradients on, the engine computes the outputs of this model with other kernels, so"
              + " they differ in the last bits; with limits.exact: true the application gets those"
              + " of the plain method";
      scope.log().info("model %s: %s".formatted(scope.plan().label(), note));
      scope.models().note(scope.plan(), note);
    }
  }

  @Override
  void abandon() {
    if (again != null) {
      again.abandon();
    }
  }
}
