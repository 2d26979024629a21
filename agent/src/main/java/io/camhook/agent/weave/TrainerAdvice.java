package io.camhook.agent.weave;

import io.camhook.dispatch.Dispatch;
import io.camhook.dispatch.Request;
import net.bytebuddy.asm.Advice;
import org.jspecify.annotations.Nullable;

/** Inlined into {@code Trainer.forward} and {@code evaluate}: the boundary of a training pass. */
final class TrainerAdvice {
  private TrainerAdvice() {}

  @Advice.OnMethodEnter
  static @Nullable Request enter(@Advice.This Object trainer) {
    return Dispatch.requests ? Dispatch.request(trainer, null) : null;
  }
}
