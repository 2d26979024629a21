package io.camhook.djl.pass;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.NDScope;
import ai.djl.nn.Block;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.engine.PtSymbolBlock;
import ai.djl.pytorch.jni.IValue;
import ai.djl.pytorch.jni.JniUtils;
import io.camhook.djl.autograd.AutogradGateway;
import io.camhook.djl.autograd.ModuleCalls;
import io.camhook.djl.autograd.Tensors;
import io.camhook.djl.model.InnerArchive;
import io.camhook.recording.LayerOutput;
import io.camhook.torchscript.twin.HookPlan;
import io.camhook.torchscript.twin.TapPlan;
import java.util.Objects;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/*
 * An archive among the blocks is one native call. If layers inside it are recorded, a recording method runs
 * instead, as in a model that is an archive. That method detaches its inputs. After a cut before the archive,
 * or in training with parameters before it, the graph must go through the archive: then the method for hooks
 * runs, which cuts nothing. If nothing inside is recorded but a layer before the archive is, its own forward
 * runs with autograd.
 */
/** One pass through Java blocks: the graph begins at the result of the first recorded layer. */
public final class BlockPass extends ModelPass {
  private static final String FORWARD = "forward";

  private final Function<Block, @Nullable InnerArchive> archives;

  /** Like {@link ModelPass}; nothing is recorded inside archives. */
  public BlockPass(NDManager owner, boolean gradients, boolean inference) {
    this(owner, gradients, inference, block -> null);
  }

  /**
   * As {@link ModelPass}.
   *
   * @param archives returns the archive of a block; null if the block is not an archive
   */
  BlockPass(
      NDManager owner,
      boolean gradients,
      boolean inference,
      Function<Block, @Nullable InnerArchive> archives) {
    super(owner, gradients, inference);
    this.archives = archives;
  }

  @Override
  public NDList returned(String path, NDList outputs) {
    int call = endedCall(path);
    NDList handedOn = new NDList(outputs.size());
    for (int i = 0; i < outputs.size(); i++) {
      String entry = outputs.size() == 1 ? null : Integer.toString(i);
      handedOn.add(returned(new LayerOutput(path, call, entry), outputs.get(i)));
    }
    return handedOn;
  }

  private NDArray returned(LayerOutput layer, NDArray output) {
    if (!wantsGradients() || !Tensors.isFloating(output)) {
      record(layer, detachedCopy(output), null);
      return output;
    }
    if (!isInCallersGraph()) {
      JniUtils.setGradMode(true);
    }
    cut();
    AutogradGateway.Tap tap = AutogradGateway.instance().tap(owner(), output);
    NDScope.unregister(tap.value());
    record(layer, tap.value(), tap.value());
    return Tensors.inPlaceOf(output, tap.copy());
  }

  @Override
  public @Nullable NDList run(PtSymbolBlock block, NDList inputs, boolean training) {
    InnerArchive archive = archives.apply(block);
    boolean inGraph = inputs.stream().anyMatch(Tensors::requiresGrad);
    if (archive == null || !archive.isRecorded()) {
      return inGraph && isCut() && !training ? runInGraph(block, inputs) : null;
    }
    PtNDManager manager = (PtNDManager) inputs.head().getManager();
    if (inGraph) {
      return runThrough(block, archive, inputs, training, manager);
    }
    if (wantsGradients() && !isInCallersGraph()) {
      JniUtils.setGradMode(true);
    }
    TapPlan taps = Objects.requireNonNull(archive.script().taps());
    RecordedRun run =
        RecordedRun.run(
            block, taps, inputs, wantsGradients(), wantsGradients() || training, owner());
    cut();
    tapped(run, archive::recorded);
    return run.outputs();
  }

  private static NDList runInGraph(PtSymbolBlock block, NDList inputs) {
    try (IValue result = ModuleCalls.run(block, FORWARD, inputs, true)) {
      return result.toNDList((PtNDManager) inputs.head().getManager());
    }
  }

  /** Records in the same way as hooks: nothing is detached. */
  private NDList runThrough(
      PtSymbolBlock block,
      InnerArchive archive,
      NDList inputs,
      boolean training,
      PtNDManager manager) {
    HookPlan plan = archive.script().inside().plan();
    long[] wanted = plan.wanted();
    HookedCapture capture = new HookedCapture(this, archive::recorded, this::failed);
    capture.want(plan, wanted, wantsGradients());
    boolean autograd = training || wantsGradients();
    String method = autograd ? plan.graphMethod() : plan.inferenceMethod();
    try (IValue result = ModuleCalls.run(block, method, wanted, inputs, autograd)) {
      IValue[] parts = result.toIValueTuple();
      try {
        NDList outputs = parts[0].toNDList(manager);
        PtNDArray[] taps = parts[1].toTensorArray((PtNDManager) owner());
        for (PtNDArray tap : taps) {
          NDScope.unregister(tap);
        }
        capture.record(plan, plan.records(parts[2].toStringValue()), taps, outputs);
        for (PtNDArray tap : taps) {
          tap.close();
        }
        return outputs;
      } finally {
        for (IValue part : parts) {
          part.close();
        }
      }
    }
  }

  private void failed(Throwable cause) {
    throw new IllegalStateException(cause);
  }
}
