package io.camhook.agent.weave;

import io.camhook.dispatch.BlockCall;
import io.camhook.dispatch.Dispatch;
import net.bytebuddy.asm.Advice;
import net.bytebuddy.implementation.bytecode.assign.Assigner;
import org.jspecify.annotations.Nullable;

/** The end of a woven call whose result may be replaced, or whose failure may be recovered from. */
final class CallExitAdvice {
  private CallExitAdvice() {}

  @Advice.OnMethodExit(onThrowable = Throwable.class)
  static void exit(
      @Advice.Enter @Nullable BlockCall call,
      @Advice.Return(readOnly = false, typing = Assigner.Typing.DYNAMIC) @Nullable Object result,
      @Advice.Thrown(readOnly = false) @Nullable Throwable thrown) {
    if (call != null) {
      result = Dispatch.exit(call, result, thrown);
      if (thrown != null && call.recovered()) {
        thrown = null;
      }
    }
  }
}
