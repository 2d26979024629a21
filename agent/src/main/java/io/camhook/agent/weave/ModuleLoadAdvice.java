package io.camhook.agent.weave;

import io.camhook.dispatch.BlockCall;
import io.camhook.dispatch.Dispatch;
import net.bytebuddy.asm.Advice;
import net.bytebuddy.implementation.bytecode.assign.Assigner;
import org.jspecify.annotations.Nullable;

/**
 * Inlined into {@code JniUtils.loadModule}: may put an instrumented archive in the file's place.
 */
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

  @Advice.OnMethodExit(onThrowable = Throwable.class)
  static void exit(
      @Advice.Enter @Nullable BlockCall call,
      @Advice.Return(readOnly = false, typing = Assigner.Typing.DYNAMIC) @Nullable Object result,
      @Advice.Thrown(readOnly = false) @Nullable Throwable thrown) {
    if (call != null) {
      result = call.exit(result, thrown);
      if (thrown != null && call.recovered()) {
        thrown = null;
      }
    }
  }
}
