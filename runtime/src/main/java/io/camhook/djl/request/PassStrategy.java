package io.camhook.djl.request;

import ai.djl.ndarray.NDList;
import ai.djl.nn.Block;
import ai.djl.pytorch.engine.PtSymbolBlock;
import io.camhook.dispatch.BlockCall;
import io.camhook.djl.pass.HookedCapture;
import org.jspecify.annotations.Nullable;

/** How one pass of a request is captured. The default methods leave the pass alone. */
abstract class PassStrategy {
  /** The root returned or threw. Returns the caller's result. */
  abstract @Nullable Object exit(@Nullable Object result, @Nullable Throwable thrown);

  /** Whether {@link #exit} has replaced an exception by a result. */
  boolean recovered() {
    return false;
  }

  /** A block inside the root begins. */
  @Nullable BlockCall enter(Block block) {
    return null;
  }

  /** The engine is about to run a TorchScript model. Returns its outputs if the pass has run it. */
  @Nullable NDList run(PtSymbolBlock block, NDList inputs, boolean training) {
    return null;
  }

  /** The capture of a pass in which hooks inside {@code block} look. */
  @Nullable HookedCapture hookedCapture(PtSymbolBlock block) {
    return null;
  }

  /** Whether the application's forward has run already. */
  boolean isReplaying() {
    return false;
  }

  /** The request ends in the middle of the pass. */
  void abandon() {}
}
