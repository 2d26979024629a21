package io.camhook.agent.weave;

import io.camhook.dispatch.Dispatch;
import io.camhook.dispatch.Request;
import net.bytebuddy.asm.Advice;
import org.jspecify.annotations.Nullable;

/**
 * Inlined into {@code PtModel.load}: tells the adapter which model the archive being loaded belongs
 * to.
 */
final class ModelLoadAdvice {
  private ModelLoadAdvice() {}

  @Advice.OnMethodEnter
  static @Nullable Request enter(@Advice.This Object model) {
    return Dispatch.requests ? Dispatch.loading(model) : null;
  }
}
