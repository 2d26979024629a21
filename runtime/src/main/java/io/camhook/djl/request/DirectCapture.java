package io.camhook.djl.request;

import ai.djl.ndarray.NDList;
import ai.djl.nn.Block;
import ai.djl.pytorch.engine.PtSymbolBlock;
import io.camhook.dispatch.BlockCall;
import io.camhook.djl.pass.HookedCapture;
import io.camhook.djl.pass.ModelPass;
import org.jspecify.annotations.Nullable;

/**
 * The application's own forward is the captured pass. In inference mode a pass that fails after the
 * cut is repeated without capture, so that a model that does not work under autograd loses captures
 * but not answers.
 */
final class DirectCapture extends PassStrategy {
  private final RequestScope scope;
  private final Object[] arguments;
  private final boolean inference;
  private final boolean hooked;
  private final PassCapture capture;
  private boolean recovered;

  /**
   * @param hooked whether hooks inside a TorchScript model look at the pass: it cannot run twice,
   *     so the method for hooks provides the capture
   */
  DirectCapture(
      RequestScope scope, Object[] arguments, int index, boolean inference, boolean hooked) {
    this.scope = scope;
    this.arguments = arguments.clone();
    this.inference = inference;
    this.hooked = hooked;
    this.capture = new PassCapture(scope, (NDList) arguments[1], index, inference);
  }

  @Override
  @Nullable BlockCall enter(Block block) {
    return capture.enter(block);
  }

  @Override
  @Nullable NDList run(PtSymbolBlock block, NDList inputs, boolean training) {
    return hooked ? null : capture.run(block, inputs, training);
  }

  @Override
  @Nullable HookedCapture hookedCapture(PtSymbolBlock block) {
    return hooked && capture.isUnderWay() ? capture.hooked(block) : null;
  }

  @Override
  @Nullable Object exit(@Nullable Object result, @Nullable Throwable thrown) {
    ModelPass model = capture.model();
    if (thrown == null && result instanceof NDList outputs) {
      if (hooked && capture.isUnderWay() && model.wantsGradients() && model.lacksGraph()) {
        scope.plan().lacksGraph();
      }
      return capture.finish(outputs);
    }
    boolean rerun = inference && model.isCut();
    capture.abandon();
    return thrown != null && rerun ? runPlain(thrown) : result;
  }

  private @Nullable Object runPlain(Throwable thrown) {
    try {
      Object result = scope.forward((NDList) arguments[1], arguments);
      recovered = true;
      scope.giveUpGradients("it fails when its activations require gradients", thrown);
      return result;
    } catch (Throwable e) {
      return null; // it fails without camhook, too: the application gets the first exception
    }
  }

  @Override
  boolean recovered() {
    return recovered;
  }

  @Override
  void abandon() {
    capture.abandon();
  }
}
