package io.camhook.dispatch;

import org.jspecify.annotations.Nullable;

/**
 * The only class that woven bytecode calls. Woven code reads {@link #active} first and calls
 * nothing while it is false.
 *
 * <p>This package names no engine type, so that it links in the agent's loader; what knows the
 * engine plugs in a {@link BlockCalls} from a loader that sees it.
 */
public final class Dispatch {
  /**
   * Whether any hook is registered or any pass is being captured in this JVM. Woven code checks it
   * before all else.
   */
  public static volatile boolean active;

  private static volatile @Nullable BlockCalls blocks;

  private Dispatch() {}

  /** Plugs the adapter of the engine's blocks; null unplugs it. */
  public static void install(@Nullable BlockCalls calls) {
    blocks = calls;
  }

  /**
   * Entry of a woven forward: returns the token for {@link #exit}, or null when the call is of no
   * interest.
   */
  public static @Nullable BlockCall enter(Object block, Object[] arguments) {
    BlockCalls calls = blocks;
    return calls == null ? null : calls.enter(block, arguments);
  }
}
