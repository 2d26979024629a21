package io.camhook.djl.pass;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.engine.PtSymbolBlock;
import ai.djl.pytorch.jni.IValue;
import io.camhook.djl.autograd.ModuleCalls;
import io.camhook.torchscript.twin.TapPlan;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/**
 * One pass through the instrumented twin of a TorchScript model.
 *
 * @param outputs what {@code forward} would have returned, in the manager of the inputs; with the
 *     graph after the first tap if gradients were requested
 * @param labels the names of the taps
 * @param taps the recorded tensors, in the given manager
 */
public record RecordedRun(NDList outputs, List<TapPlan.Label> labels, List<NDArray> taps) {
  /**
   * Runs the twin. With gradients, this thread's grad mode must be on.
   *
   * @param gradients whether the pass is cut at the first tap, so that gradients can be computed
   * @param autograd false runs in inference mode, where nothing has a graph
   * @param owner manager of the taps
   * @throws UnsupportedOperationException if DJL cannot convert the model's own result either
   */
  public static RecordedRun run(
      PtSymbolBlock block,
      TapPlan plan,
      NDList inputs,
      boolean gradients,
      boolean autograd,
      NDManager owner) {
    String method = gradients ? plan.forwardMethod() : plan.recordMethod();
    PtNDManager manager = (PtNDManager) inputs.head().getManager();
    return run(block, plan, method, inputs, autograd, owner, value -> value.toNDList(manager));
  }

  /**
   * Runs one of the methods that record.
   *
   * @param method {@link TapPlan#untilMethod} has no outputs
   * @param outputs splits what {@code forward} would have returned
   */
  public static RecordedRun run(
      PtSymbolBlock block,
      TapPlan plan,
      String method,
      NDList inputs,
      boolean autograd,
      NDManager owner,
      Function<IValue, NDList> outputs) {
    try (IValue all = ModuleCalls.run(block, method, inputs, autograd)) {
      IValue[] parts = all.toIValueTuple();
      try {
        int last = parts.length - 1;
        NDList returned = last < 2 ? new NDList() : outputs.apply(parts[0]);
        List<NDArray> taps = new ArrayList<>();
        for (PtNDArray tap : parts[last - 1].toTensorArray((PtNDManager) owner)) {
          taps.add(tap);
        }
        return new RecordedRun(returned, plan.labels(parts[last].toStringValue()), taps);
      } finally {
        for (IValue part : parts) {
          part.close();
        }
      }
    }
  }
}
