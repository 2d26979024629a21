package io.camhook.plain;

import io.camhook.ForwardHook;
import io.camhook.ForwardPreHook;
import io.camhook.FullBackwardHook;
import io.camhook.FullBackwardPreHook;
import io.camhook.dispatch.HookKind;
import org.jspecify.annotations.Nullable;

/**
 * A hook of the application's, of any of the types of {@code io.camhook}, on a plain network. The
 * module is the application's object and a value is its own tensor, not a list.
 */
final class OwnHook implements PlainHook {
  private final Object hook;
  private final @Nullable HookKind only;

  /** Of every type that the hook has. */
  OwnHook(Object hook) {
    this.hook = hook;
    this.only = null;
  }

  /** Of the kind that it was registered as. */
  OwnHook(Object hook, HookKind only) {
    this.hook = hook;
    this.only = only;
  }

  private boolean is(HookKind kind) {
    return only == null || only == kind;
  }

  @Override
  @SuppressWarnings("unchecked")
  public @Nullable Object beforeForward(PlainModule module, @Nullable Object input) {
    return is(HookKind.FORWARD_PRE) && hook instanceof ForwardPreHook<?, ?> && input != null
        ? ((ForwardPreHook<Object, Object>) hook)
            .beforeForward(module.module(), module.path(), input)
        : null;
  }

  @Override
  @SuppressWarnings("unchecked")
  public @Nullable Object afterForward(
      PlainModule module, @Nullable Object input, @Nullable Object output) {
    return is(HookKind.FORWARD)
            && hook instanceof ForwardHook<?, ?>
            && input != null
            && output != null
        ? ((ForwardHook<Object, Object>) hook)
            .afterForward(module.module(), module.path(), input, output)
        : null;
  }

  @Override
  @SuppressWarnings("unchecked")
  public @Nullable Object beforeBackward(PlainModule module, @Nullable Object gradOutput) {
    return is(HookKind.BACKWARD_PRE)
            && hook instanceof FullBackwardPreHook<?, ?>
            && gradOutput != null
        ? ((FullBackwardPreHook<Object, Object>) hook)
            .beforeBackward(module.module(), module.path(), gradOutput)
        : null;
  }

  /** A layer without an input gradient, the first one, gives null for it. */
  @Override
  @SuppressWarnings({"unchecked", "NullAway"})
  public @Nullable Object afterBackward(
      PlainModule module, @Nullable Object gradInput, @Nullable Object gradOutput) {
    return is(HookKind.BACKWARD) && hook instanceof FullBackwardHook<?, ?> && gradOutput != null
        ? ((FullBackwardHook<Object, Object>) hook)
            .afterBackward(module.module(), module.path(), gradInput, gradOutput)
        : null;
  }
}
