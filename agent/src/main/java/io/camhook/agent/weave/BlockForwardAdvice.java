package io.camhook.agent.weave;

import io.camhook.dispatch.BlockCall;
import io.camhook.dispatch.Dispatch;
import net.bytebuddy.asm.Advice;
import net.bytebuddy.implementation.bytecode.assign.Assigner;
import org.jspecify.annotations.Nullable;

/**
 * Inlined into the four-argument {@code forward} of DJL blocks. Exceptions are not suppressed here:
 * any exception from {@link Dispatch} is the user's own; camhook's failures stay inside.
 */
final class BlockForwardAdvice {
  private BlockForwardAdvice() {}

  @Advice.OnMethodEnter
  static @Nullable BlockCall enter(
      @Advice.This Object block,
      @Advice.AllArguments(readOnly = false, typing = Assigner.Typing.DYNAMIC) Object[] arguments,
      @Advice.Origin Class<?> declares) {
    if (!Dispatch.active) {
      return null;
    }
    Object[] copy = arguments;
    BlockCall call = Dispatch.enter(block, copy, declares);
    arguments = copy;
    return call;
  }
}
