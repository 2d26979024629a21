package io.camhook.plain;

import io.camhook.dispatch.Dispatch;
import org.jspecify.annotations.Nullable;

/**
 * The only class that bytecode woven into plain Java networks calls. Woven code reads {@link
 * #active} first and calls nothing while it is false.
 */
public final class PlainDispatch {
  /** Whether any plain network is configured and the agent has started. */
  public static volatile boolean active;

  private static volatile @Nullable PlainNetworks networks;

  private PlainDispatch() {}

  /** Plugs the configured networks; null unplugs them. */
  public static void install(@Nullable PlainNetworks configured) {
    networks = configured;
    Dispatch.installPlain(configured == null ? null : configured::modules);
    active = configured != null;
  }

  /**
   * Entry of a woven method.
   *
   * @param module the object whose method it is
   * @param entry number of its network in the configuration
   * @param role one of {@link Role}, by ordinal
   * @param method the method, the same string for every call of it
   * @return the call, to be told the arguments and the end, or null when it is of no interest
   */
  public static @Nullable PlainCall enter(Object module, int entry, int role, String method) {
    PlainNetworks all = networks;
    return all == null ? null : all.enter(module, entry, Role.of(role), method);
  }
}
