package io.camhook.djl.pass;

import ai.djl.ndarray.NDList;
import ai.djl.nn.Block;
import ai.djl.pytorch.engine.PtSymbolBlock;
import io.camhook.dispatch.BlockCall;
import org.jspecify.annotations.Nullable;

/** Watches the blocks that run on one thread. A thread has at most one watch at a time. */
public interface PassWatch {
  /** A block's forward begins; null if its return is of no interest. */
  @Nullable BlockCall enter(Block block, Object[] arguments);

  /**
   * The engine is about to run a TorchScript model.
   *
   * @return its outputs, if the watcher has run it instead
   */
  default @Nullable NDList run(PtSymbolBlock block, NDList inputs, boolean training) {
    return null;
  }

  /** The capture of a pass in which hooks inside {@code block} look; null if there is none. */
  default @Nullable HookedCapture hookedCapture(PtSymbolBlock block) {
    return null;
  }

  /** Whether the current pass is the capture's own: that of the application has already run. */
  default boolean isReplaying() {
    return false;
  }

  /** Whether only camhook differentiates the results of the pass, without any hooks. */
  default boolean endsWithItself() {
    return false;
  }
}
