package io.camhook.plain;

import io.camhook.dispatch.Dispatch;
import io.camhook.dispatch.FailureBarrier;
import org.jspecify.annotations.Nullable;

/**
 * The only class that is called by bytecode woven into plain Java networks. Woven code reads {@link
 * #active} first and calls nothing while it is false.
 */
public final class PlainDispatch {
  /** Whether any plain network is configured and the agent has started. */
  public static volatile boolean active;

  private static final FailureBarrier BEFORE =
      new FailureBarrier("camhook's work before a method of a plain network failed");
  private static final FailureBarrier AFTER =
      new FailureBarrier("camhook's work after a method of a plain network failed");

  private static volatile @Nullable PlainNetworks networks;

  private PlainDispatch() {}

  /** Plugs the configured networks; null unplugs them. */
  public static void install(@Nullable PlainNetworks configured) {
    networks = configured;
    Dispatch.installPlain(configured == null ? null : configured::modules);
    active = configured != null;
  }

  /**
   * Entry of a woven method, which may have its arguments replaced.
   *
   * @param module the object whose method it is
   * @param entry number of its network in the configuration
   * @param role one of {@link Role}, by ordinal
   * @param method the method, the same string for every call of it
   * @param arguments those of the method, changed in place if a hook replaces them
   * @return the call, to be told its end with {@link #after}, or null when it is of no interest
   */
  public static @Nullable PlainCall enter(
      Object module, int entry, int role, String method, Object[] arguments) {
    PlainNetworks all = networks;
    if (all == null) {
      return null;
    }
    try {
      PlainCall call = all.enter(module, entry, Role.of(role), method);
      if (call != null) {
        call.before(arguments);
        BEFORE.passed();
      }
      return call;
    } catch (Throwable e) {
      BEFORE.failed(e);
      all.forgetThread();
      return null;
    }
  }

  /**
   * A woven method ended.
   *
   * @return the result that its caller gets
   */
  public static @Nullable Object after(
      PlainCall call, @Nullable Object result, @Nullable Throwable thrown) {
    try {
      Object given = call.after(result, thrown);
      AFTER.passed();
      return given;
    } catch (Throwable e) {
      AFTER.failed(e);
      return result;
    }
  }
}
