package io.camhook.dispatch;

import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * One registration. Identity counts: the same hook registered twice runs twice.
 *
 * <p>The hook is one of the application's or of an adapter; only its kind knows how to call it.
 */
public final class HookEntry {
  private final HookKind kind;
  private final Object hook;
  private final boolean alwaysCall;
  private final boolean replaces;
  private final @Nullable Predicate<Object> modules;

  /**
   * @param kind what the hook is registered as
   * @param hook the user's hook
   * @param alwaysCall whether it also runs when forward failed
   * @param replaces whether its return value is used inside a model that runs as one native call
   * @param modules the modules that a global hook applies to; null for all
   */
  public HookEntry(
      HookKind kind,
      Object hook,
      boolean alwaysCall,
      boolean replaces,
      @Nullable Predicate<Object> modules) {
    this.kind = kind;
    this.hook = hook;
    this.alwaysCall = alwaysCall;
    this.replaces = replaces;
    this.modules = modules;
  }

  /**
   * A hook with the default options: it does not run after a failure, and only looks inside a
   * native call.
   */
  public HookEntry(HookKind kind, Object hook) {
    this(kind, hook, false, false, null);
  }

  public HookKind kind() {
    return kind;
  }

  public Object hook() {
    return hook;
  }

  /**
   * Calls the hook.
   *
   * @return what it puts in place of the value that its moment may replace; null keeps it
   */
  public @Nullable Object call(HookArguments arguments) {
    return kind.call(hook, arguments);
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
