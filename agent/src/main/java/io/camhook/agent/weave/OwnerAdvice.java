package io.camhook.agent.weave;

import io.camhook.dispatch.Dispatch;
import net.bytebuddy.asm.Advice;

/** Inlined into the constructors of {@code Predictor} and {@code Trainer}. */
final class OwnerAdvice {
  private OwnerAdvice() {}

  @Advice.OnMethodExit
  static void exit(@Advice.This Object owner) {
    if (Dispatch.requests) {
      Dispatch.opened(owner);
    }
  }
}
