package io.camhook.agent.weave;

import io.camhook.dispatch.Dispatch;
import net.bytebuddy.asm.Advice;

/** Inlined into {@code JniUtils.backward}: skips the call if the adapter has already run it. */
final class BackwardAdvice {
  private BackwardAdvice() {}

  @Advice.OnMethodEnter(skipOn = Advice.OnNonDefaultValue.class)
  static boolean enter(
      @Advice.Argument(0) Object target,
      @Advice.Argument(1) Object gradient,
      @Advice.Argument(2) boolean keepGraph,
      @Advice.Argument(3) boolean createGraph) {
    return Dispatch.gradients && Dispatch.backward(target, gradient, keepGraph, createGraph);
  }
}
