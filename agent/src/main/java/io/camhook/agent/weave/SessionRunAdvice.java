package io.camhook.agent.weave;

import io.camhook.dispatch.BlockCall;
import io.camhook.dispatch.Dispatch;
import net.bytebuddy.asm.Advice;
import net.bytebuddy.implementation.bytecode.assign.Assigner;
import org.jspecify.annotations.Nullable;

/** Inlined into {@code OrtSession.run}. */
final class SessionRunAdvice {
  private SessionRunAdvice() {}

  @Advice.OnMethodEnter
  static @Nullable BlockCall enter(
      @Advice.This Object session,
      @Advice.AllArguments(typing = Assigner.Typing.DYNAMIC) Object[] arguments) {
    return Dispatch.requests ? Dispatch.enter(session, arguments) : null;
  }
}
