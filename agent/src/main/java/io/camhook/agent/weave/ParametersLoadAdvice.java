package io.camhook.agent.weave;

import io.camhook.dispatch.BlockCall;
import io.camhook.dispatch.Dispatch;
import net.bytebuddy.asm.Advice;
import net.bytebuddy.implementation.bytecode.assign.Assigner;
import org.jspecify.annotations.Nullable;

/**
 * Inlined into {@code PtSymbolBlock.loadParameters}, which loads a complete archive, including its
 * code.
 */
final class ParametersLoadAdvice {
  private ParametersLoadAdvice() {}

  @Advice.OnMethodEnter
  static @Nullable BlockCall enter(
      @Advice.This Object block,
      @Advice.AllArguments(readOnly = false, typing = Assigner.Typing.DYNAMIC) Object[] arguments) {
    if (!Dispatch.requests) {
      return null;
    }
    Object[] copy = arguments;
    BlockCall call = Dispatch.archive(block, copy);
    arguments = copy;
    return call;
  }

  @Advice.OnMethodExit(onThrowable = Throwable.class)
  static void exit(
      @Advice.Enter @Nullable BlockCall call,
      @Advice.This Object block,
      @Advice.Thrown(readOnly = false) @Nullable Throwable thrown) {
    if (call != null) {
      Dispatch.exit(call, block, thrown);
      if (thrown != null && call.recovered()) {
        thrown = null;
      }
    }
  }
}
