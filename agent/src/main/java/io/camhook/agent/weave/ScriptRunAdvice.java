package io.camhook.agent.weave;

import io.camhook.dispatch.Dispatch;
import net.bytebuddy.asm.Advice;
import net.bytebuddy.implementation.bytecode.assign.Assigner;
import org.jspecify.annotations.Nullable;

/**
 * Inlined into {@code IValueUtils.forward}: skips the call if the adapter has already run the
 * model.
 */
final class ScriptRunAdvice {
  private ScriptRunAdvice() {}

  @Advice.OnMethodEnter(skipOn = Advice.OnNonDefaultValue.class)
  static @Nullable Object enter(
      @Advice.Argument(0) Object block,
      @Advice.Argument(1) Object inputs,
      @Advice.Argument(2) boolean training) {
    return Dispatch.active ? Dispatch.run(block, inputs, training) : null;
  }

  @Advice.OnMethodExit
  static void exit(
      @Advice.Enter @Nullable Object ran,
      @Advice.Return(readOnly = false, typing = Assigner.Typing.DYNAMIC) @Nullable Object result) {
    if (ran != null) {
      result = ran;
    }
  }
}
