package io.camhook;

/**
 * How a module hook is registered.
 *
 * @param prepend whether it runs before the hooks of the same kind that the module already has;
 *     global hooks still run before all of them
 * @param alwaysCall forward hooks only: whether it also runs, without outputs, after forward or an
 *     earlier hook has failed; what it then returns or throws is ignored
 * @param replaces for forward and forward pre hooks inside a TorchScript model: whether the model
 *     continues with the value that the hook returns. A pass with such a hook stops at every hooked
 *     call to run the hooks, so it costs more than a pass whose hooks only look. Outside
 *     TorchScript models every hook may replace values
 */
public record HookOptions(boolean prepend, boolean alwaysCall, boolean replaces) {
  /**
   * The hook runs after the others, only if forward succeeded, and only looks inside a TorchScript
   * model.
   */
  public static final HookOptions DEFAULT = new HookOptions(false, false, false);

  /** For hooks that only look inside a TorchScript model. */
  public HookOptions(boolean prepend, boolean alwaysCall) {
    this(prepend, alwaysCall, false);
  }

  /** The hook runs before the hooks of the same kind that the module already has. */
  public static HookOptions prepended() {
    return new HookOptions(true, false);
  }

  /** The forward hook also runs if forward failed. */
  public static HookOptions always() {
    return new HookOptions(false, true);
  }

  /** A TorchScript model continues with the value that the hook returns. */
  public static HookOptions replacing() {
    return new HookOptions(false, false, true);
  }
}
