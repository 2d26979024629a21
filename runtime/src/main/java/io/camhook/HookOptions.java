package io.camhook;

/**
 * How a module hook is registered.
 *
 * @param prepend whether it goes before the module's hooks of its kind that are there already;
 *     global hooks run before a module's own all the same
 * @param alwaysCall forward hooks only: whether it also runs, with no outputs, when forward or an
 *     earlier hook failed; what it then returns or throws is dropped
 */
public record HookOptions(boolean prepend, boolean alwaysCall) {
  /** Behind the others, and only when forward succeeded. */
  public static final HookOptions DEFAULT = new HookOptions(false, false);

  public static HookOptions prepended() {
    return new HookOptions(true, false);
  }

  public static HookOptions always() {
    return new HookOptions(false, true);
  }
}
