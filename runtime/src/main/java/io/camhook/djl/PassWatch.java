package io.camhook.djl;

import ai.djl.nn.Block;
import io.camhook.dispatch.BlockCall;
import org.jspecify.annotations.Nullable;

/** Watches the blocks that run on one thread. A thread has at most one at a time. */
interface PassWatch {
  /** A block's forward begins; null if its return is of no interest. */
  @Nullable BlockCall enter(Block block, Object[] arguments);
}
