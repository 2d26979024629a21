package io.camhook.agent.weave;

import io.camhook.dispatch.Dispatch;
import net.bytebuddy.asm.Advice;

/**
 * Inlined into the methods that close a session of onnxruntime, or all of onnxruntime at JVM
 * shutdown.
 */
final class SessionEndAdvice {
  private SessionEndAdvice() {}

  @Advice.OnMethodEnter
  static void enter(@Advice.This Object ending) {
    if (Dispatch.requests) {
      Dispatch.ending(ending);
    }
  }
}
