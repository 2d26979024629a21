package io.camhook.plain;

import io.camhook.ForwardHook;
import io.camhook.ForwardHookWithParams;
import io.camhook.ForwardPreHook;
import io.camhook.ForwardPreHookWithParams;
import io.camhook.FullBackwardHook;
import io.camhook.FullBackwardPreHook;
import io.camhook.dispatch.HookEntry;
import io.camhook.dispatch.HookKind;
import org.jspecify.annotations.Nullable;

/**
 * One of the application's hooks, of any type in {@code io.camhook}, on a plain network. The module
 * is the application's object, and a value is a single tensor of the application's type, not a
 * list; call parameters are null because plain networks have none.
 */
final class OwnHook implements PlainHook {
  private final Object hook;
  private final @Nullable HookKind only;
  private final boolean always;

  /** Wraps a hook of any type. */
  OwnHook(Object hook) {
    this.hook = hook;
    this.only = null;
    this.always = false;
  }

  /** A hook of the kind that it was registered as. */
  OwnHook(HookEntry entry, HookKind only) {
    this.hook = entry.hook();
    this.only = only;
    this.always = entry.alwaysCall();
  }

  private boolean is(HookKind kind) {
    return only == null || only == kind;
  }

  @Override
  public boolean alwaysCall() {
    return always && is(HookKind.FORWARD);
  }

  @Override
  @SuppressWarnings("unchecked")
  public @Nullable Object beforeForward(PlainModule module, @Nullable Object input) {
    if (!is(HookKind.FORWARD_PRE) || input == null) {
      return null;
    }
    if (hook instanceof ForwardPreHookWithParams<?, ?, ?> own) {
      ForwardPreHookWithParams.Call<Object, Object> replaced =
          ((ForwardPreHookWithParams<Object, Object, Object>) own)
              .beforeForward(module.module(), module.path(), input, null);
      return replaced == null ? null : replaced.inputs();
    }
    return hook instanceof ForwardPreHook<?, ?> own
        ? ((ForwardPreHook<Object, Object>) own)
            .beforeForward(module.module(), module.path(), input)
        : null;
  }

  @Override
  @SuppressWarnings("unchecked")
  public @Nullable Object afterForward(
      PlainModule module, @Nullable Object input, @Nullable Object output) {
    if (!is(HookKind.FORWARD) || input == null || (output == null && !always)) {
      return null;
    }
    if (hook instanceof ForwardHookWithParams<?, ?, ?> own) {
      return ((ForwardHookWithParams<Object, Object, Object>) own)
          .afterForward(module.module(), module.path(), input, null, output);
    }
    return hook instanceof ForwardHook<?, ?> own
        ? ((ForwardHook<Object, Object>) own)
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
