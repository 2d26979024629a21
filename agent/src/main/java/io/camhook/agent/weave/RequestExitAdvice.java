package io.camhook.agent.weave;

import io.camhook.dispatch.Dispatch;
import io.camhook.dispatch.Request;
import net.bytebuddy.asm.Advice;
import org.jspecify.annotations.Nullable;

/** The end of a woven call that had opened a request. */
final class RequestExitAdvice {
  private RequestExitAdvice() {}

  @Advice.OnMethodExit(onThrowable = Throwable.class)
  static void exit(@Advice.Enter @Nullable Request request) {
    if (request != null) {
      Dispatch.close(request);
    }
  }
}
