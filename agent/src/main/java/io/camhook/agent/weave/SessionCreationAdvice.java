package io.camhook.agent.weave;

import io.camhook.dispatch.BlockCall;
import io.camhook.dispatch.Dispatch;
import net.bytebuddy.asm.Advice;
import net.bytebuddy.implementation.bytecode.assign.Assigner;
import org.jspecify.annotations.Nullable;

/**
 * Inlined into {@code OrtEnvironment.createSession}: tells the adapter which model the session is
 * created from.
 */
final class SessionCreationAdvice {
  private SessionCreationAdvice() {}

  @Advice.OnMethodEnter
  static @Nullable BlockCall enter(
      @Advice.This Object environment,
      @Advice.AllArguments(typing = Assigner.Typing.DYNAMIC) Object[] arguments) {
    return Dispatch.requests ? Dispatch.archive(environment, arguments) : null;
  }
}
