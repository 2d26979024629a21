package io.camhook.agent.weave;

import io.camhook.dispatch.Dispatch;
import io.camhook.dispatch.Request;
import java.util.List;
import net.bytebuddy.asm.Advice;
import org.jspecify.annotations.Nullable;

/** Inlined into {@code Predictor.batchPredict}: the boundary of a request. */
final class RequestAdvice {
  private RequestAdvice() {}

  @Advice.OnMethodEnter
  static @Nullable Request enter(
      @Advice.This Object predictor, @Advice.Argument(0) List<?> inputs) {
    return Dispatch.requests ? Dispatch.request(predictor, inputs) : null;
  }
}
