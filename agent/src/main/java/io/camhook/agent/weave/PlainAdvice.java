package io.camhook.agent.weave;

import io.camhook.plain.PlainCall;
import io.camhook.plain.PlainDispatch;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import net.bytebuddy.asm.Advice;
import net.bytebuddy.implementation.bytecode.assign.Assigner;
import org.jspecify.annotations.Nullable;

/** Inlined into the forward and backward methods of plain networks. */
final class PlainAdvice {
  /** Number of the network in the configuration. */
  @Retention(RetentionPolicy.RUNTIME)
  @interface Entry {}

  /** Ordinal of the method's {@link io.camhook.plain.Role}. */
  @Retention(RetentionPolicy.RUNTIME)
  @interface RoleNumber {}

  private PlainAdvice() {}

  @Advice.OnMethodEnter
  static @Nullable PlainCall enter(
      @Advice.This Object module,
      @Entry int entry,
      @RoleNumber int role,
      @Advice.Origin("#t.#m#s") String method,
      @Advice.AllArguments(readOnly = false, typing = Assigner.Typing.DYNAMIC) Object[] arguments) {
    if (!PlainDispatch.active) {
      return null;
    }
    Object[] copy = arguments;
    PlainCall call = PlainDispatch.enter(module, entry, role, method, copy);
    if (call != null) {
      arguments = copy;
    }
    return call;
  }

  @Advice.OnMethodExit(onThrowable = Throwable.class)
  static void exit(
      @Advice.Enter @Nullable PlainCall call,
      @Advice.Return(readOnly = false, typing = Assigner.Typing.DYNAMIC) @Nullable Object result,
      @Advice.Thrown @Nullable Throwable thrown) {
    if (call != null) {
      result = PlainDispatch.after(call, result, thrown);
    }
  }
}
