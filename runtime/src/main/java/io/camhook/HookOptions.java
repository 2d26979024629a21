package io.camhook;

/**
 * How a module hook is registered.
 *
 * @param prepend whether it goes before the module's hooks of its kind that are there already;
 *     global hooks run before a module's own all the same
 * @param alwaysCall forward hooks only: whether it also runs, with no outputs, when forward or an
 *     earlier hook failed; what it then returns or throws is dropped
 * @param replaces forward and forward pre hooks inside a TorchScript model: whether the model goes
 *     on with what the hook returns. A pass with such a hook stops at every hooked call and runs
 *     the hooks there and then, so it costs more than one with hooks that only look. Elsewhere a
 *     hook can replace values anyway
 */
public record HookOptions(boolean prepend, boolean alwaysCall, boolean replaces) {
  /** After the others, only when forward succeeded, and only looking inside a TorchScript model. */
  public static final HookOptions DEFAULT = new HookOptions(false, false, false);

  /** As the record says, for hooks that only look inside a TorchScript model. */
  public HookOptions(boolean prepend, boolean alwaysCall) {
    this(prepend, alwaysCall, false);
  }

  /** Before the module's hooks of its kind that are there already. */
  public static HookOptions prepended() {
    return new HookOptions(true, false);
  }

  /** For a forward hook that also runs when forward failed. */
  public static HookOptions always() {
    return new HookOptions(false, true);
  }

  /** For a hook whose return value a TorchScript model is to go on with. */
  public static HookOptions replacing() {
    return new HookOptions(false, false, true);
  }
}
