package io.camhook.djl.pass;

import ai.djl.engine.EngineException;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.engine.PtSymbolBlock;
import ai.djl.pytorch.jni.IValue;
import ai.djl.pytorch.jni.JniUtils;
import io.camhook.recording.LayerOutput;
import io.camhook.torchscript.twin.TapPlan;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** One pass through a TorchScript model: a recording method runs instead of {@code forward}. */
public final class ScriptPass extends ModelPass {
  /** Flattens the model's result; the arrays belong to the manager. */
  public interface Outputs {
    NDList of(IValue value, PtNDManager manager);
  }

  /**
   * The model and its gradients in one native call.
   *
   * @param target the class that is explained for all samples; negative for each sample's best
   * @param failed called when the engine failed to do this; the pass then continues in two calls
   */
  record OneCall(int target, Runnable failed) {}

  private final TapPlan taps;
  private final String method;
  private final boolean inferenceMode;
  private final Outputs outputs;
  private final @Nullable OneCall oneCall;
  private @Nullable GradientPass differentiated;

  private ScriptPass(
      NDManager owner,
      boolean gradients,
      boolean inference,
      TapPlan taps,
      String method,
      boolean inferenceMode,
      Outputs outputs,
      @Nullable OneCall oneCall) {
    super(owner, gradients, inference);
    this.taps = taps;
    this.method = method;
    this.inferenceMode = inferenceMode;
    this.outputs = outputs;
    this.oneCall = oneCall;
  }

  /**
   * For a request of the application.
   *
   * @param oneCall null if gradients are computed after the model has returned
   * @throws UnsupportedOperationException from {@link #run}, if DJL cannot convert the model's own
   *     result either
   */
  static ScriptPass inRequest(
      NDManager owner,
      boolean gradients,
      boolean inference,
      TapPlan taps,
      @Nullable OneCall oneCall) {
    String method = gradients ? taps.forwardMethod() : taps.recordMethod();
    return new ScriptPass(
        owner, gradients, inference, taps, method, true, IValue::toNDList, oneCall);
  }

  /**
   * For a session. In a session, passes with and without gradients share methods of modules. A
   * method that the JIT has specialised for gradients fails on tensors of inference mode, so no
   * pass runs in that mode.
   *
   * @param method one of those of {@code taps} that record
   */
  public static ScriptPass inSession(
      NDManager owner, boolean gradients, TapPlan taps, String method, Outputs outputs) {
    return new ScriptPass(owner, gradients, true, taps, method, false, outputs, null);
  }

  @Override
  public NDList run(PtSymbolBlock block, NDList inputs, boolean training) {
    if (wantsGradients()) {
      JniUtils.setGradMode(true);
    }
    if (wantsGradients() && oneCall != null && !isInCallersGraph()) {
      try {
        return ranInOneCall(
            GradientPass.run(block, taps, oneCall.target(), inputs, training, owner()));
      } catch (EngineException e) {
        oneCall.failed().run(); // perhaps the pass works without gradients
      }
    }
    boolean autograd = !inferenceMode || wantsGradients() || training;
    PtNDManager manager = (PtNDManager) inputs.head().getManager();
    RecordedRun run =
        RecordedRun.run(
            block, taps, method, inputs, autograd, owner(), value -> outputs.of(value, manager));
    cut();
    tapped(run, path -> path);
    return run.outputs();
  }

  private NDList ranInOneCall(GradientPass run) {
    differentiated = run;
    List<TapPlan.Label> labels = run.labels();
    for (int i = 0; i < labels.size(); i++) {
      LayerOutput layer = layer(labels.get(i));
      record(layer, run.taps().get(i), null);
      if (labels.get(i).blocked()) {
        blocked().add(layer);
      }
    }
    return new NDList(run.output());
  }

  @Override
  public @Nullable GradientPass inOneCall() {
    return differentiated;
  }

  /** The last tap may be the output itself, which the application may change in place. */
  @Override
  NDArray applicationOutput(NDArray output) {
    NDArray free = super.applicationOutput(output);
    NDArray copy = JniUtils.clone((PtNDArray) free);
    copy.setName(output.getName());
    free.close();
    if (free != output) {
      output.close();
    }
    return copy;
  }
}
