package io.camhook.djl.session;

import ai.djl.ndarray.NDList;
import ai.djl.nn.Block;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.engine.PtSymbolBlock;
import io.camhook.djl.archive.ScriptFile;
import io.camhook.djl.pass.ScriptPass;
import io.camhook.torchscript.twin.TapPlan;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Runs a method that records in place of a TorchScript model's own, in one pass of a session. */
final class TwinWatch extends SessionWatch {
  private final TapPlan plan;
  private final String method;
  private final PtNDManager scratch;
  private @Nullable ScriptPass pass;

  TwinWatch(TapPlan plan, String method, PtNDManager scratch) {
    this.plan = plan;
    this.method = method;
    this.scratch = scratch;
  }

  /** Runs the model, as the application would where the engine is woven. */
  ScriptPass forward(ScriptFile file, PtSymbolBlock module, NDList inputs) {
    if (file.isWoven()) {
      forward(module, inputs, scratch);
    } else {
      run(module, inputs, false);
    }
    return Objects.requireNonNull(pass, "the model's own method was run");
  }

  @Override
  public NDList run(PtSymbolBlock block, NDList inputs, boolean training) {
    ScriptPass ran =
        ScriptPass.run(
            block,
            plan,
            method,
            inputs,
            true, // no inference mode, see ScriptSession
            scratch,
            value -> ScriptValues.arrays(value, scratch));
    pass = ran;
    return ran.outputs();
  }

  @Override
  boolean concerns(Block block) {
    return false;
  }

  @Override
  NDList returned(Block block, NDList outputs) {
    return outputs;
  }
}
