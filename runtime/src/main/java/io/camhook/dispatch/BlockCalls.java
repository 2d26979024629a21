package io.camhook.dispatch;

import org.jspecify.annotations.Nullable;

/** What an engine adapter does with the forward calls of blocks. Thread-safe. */
public interface BlockCalls {
  /**
   * A block's forward begins.
   *
   * @param block the block
   * @param arguments the arguments of forward in order; replaced in place where a pre hook replaces
   *     them
   * @return the call, to be closed when forward ends, or null when it is of no interest
   */
  @Nullable BlockCall enter(Object block, Object[] arguments);
}
