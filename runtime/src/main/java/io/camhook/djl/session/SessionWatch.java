package io.camhook.djl.session;

import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Block;
import ai.djl.training.ParameterStore;
import io.camhook.dispatch.BlockCall;
import io.camhook.dispatch.Dispatch;
import io.camhook.djl.pass.OpenBlocks;
import io.camhook.djl.pass.PassWatch;
import io.camhook.djl.pass.ThreadWork;
import org.jspecify.annotations.Nullable;

/** Sees the values that blocks return in one pass of a session, and may replace them. */
abstract class SessionWatch implements PassWatch {
  @Override
  public final boolean endsWithItself() {
    return true;
  }

  private final OpenBlocks open = new OpenBlocks(this::returned);
  private @Nullable Block root;
  private boolean seenRoot;

  /**
   * Runs a model as the application would, watched on this thread.
   *
   * @throws IllegalStateException if the engine's classes are not woven
   */
  final NDList forward(Block model, NDList inputs, NDManager scratch) {
    root = model;
    ThreadWork work = ThreadWork.begin();
    PassWatch before = work.watch;
    work.watch = this;
    Dispatch.retain();
    try {
      NDList outputs = model.forward(new ParameterStore(scratch, false), inputs, false);
      if (!seenRoot) {
        throw new IllegalStateException(
            "the blocks of this model are not instrumented: start the JVM with"
                + " -javaagent:camhook-agent.jar, or set -Dcamhook.selfAttach=true");
      }
      return outputs;
    } finally {
      Dispatch.release();
      work.watch = before;
      work.endIfIdle();
    }
  }

  @Override
  public final @Nullable BlockCall enter(Block block, Object[] arguments) {
    seenRoot |= block == root;
    return concerns(block) ? open.enter(block) : null;
  }

  abstract boolean concerns(Block block);

  /** The value for the caller of the block. */
  abstract NDList returned(Block block, NDList outputs);
}
