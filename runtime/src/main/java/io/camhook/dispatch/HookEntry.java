package io.camhook.dispatch;

import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * One registration. Identity counts: the same hook registered twice runs twice.
 *
 * <p>The hook is an object from the API package or an adapter; this package never looks inside it.
 */
public final class HookEntry {
  private final Object hook;
  private final boolean alwaysCall;
  private final boolean replaces;
  private final @Nullable Predicate<Object> modules;

  /**
   * @param hook the user's hook
   * @param alwaysCall whether it also runs when forward failed
   * @param replaces whether its return value is used inside a model that runs as one native call
   * @param modules the modules that a global hook applies to; null for all
   */
  public HookEntry(
      Object hook, boolean alwaysCall, boolean replaces, @Nullable Predicate<Object> modules) {
    this.hook = hook;
    this.alwaysCall = alwaysCall;
    this.replaces = replaces;
    this.modules = modules;
  }

  public Object hook() {
    return hook;
  }

  public boolean alwaysCall() {
    return alwaysCall;
  }

  /** Whether its return value is used inside a model that runs as one native call. */
  public boolean replaces() {
    return replaces;
  }

  /** Whether the hook is for {@code module}. */
  public boolean concerns(Object module) {
    return modules == null || modules.test(module);
  }
}
