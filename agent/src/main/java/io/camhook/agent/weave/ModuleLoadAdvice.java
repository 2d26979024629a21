package io.camhook.agent.weave;

import io.camhook.dispatch.BlockCall;
import io.camhook.dispatch.Dispatch;
import net.bytebuddy.asm.Advice;
import net.bytebuddy.implementation.bytecode.assign.Assigner;
import org.jspecify.annotations.Nullable;

/** Inlined into {@code JniUtils.loadModule}: may replace the file by an instrumented archive. */
final class ModuleLoadAdvice {
  private ModuleLoadAdvice() {}

  @Advice.OnMethodEnter
  static @Nullable BlockCall enter(
      @Advice.AllArguments(readOnly = false, typing = Assigner.Typing.DYNAMIC) Object[] arguments) {
    if (!Dispatch.requests) {
      return null;
    }
    Object[] copy = arguments;
    BlockCall call = Dispatch.archive(copy[0], copy);
    arguments = copy;
    return call;
  }
}
