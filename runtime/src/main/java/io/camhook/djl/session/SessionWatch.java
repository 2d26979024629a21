package io.camhook.djl.session;

import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Block;
import ai.djl.training.ParameterStore;
import io.camhook.dispatch.BlockCall;
import io.camhook.dispatch.Dispatch;
import io.camhook.djl.pass.PassWatch;
import io.camhook.djl.pass.ThreadWork;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Sees what the blocks of one pass of a session return, and may put something else in its place.
 */
abstract class SessionWatch implements PassWatch {
  @Override
  public final boolean endsWithItself() {
    return true;
  }

  private final List<Block> open = new ArrayList<>();
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
    if (!concerns(block) || isOpen(block)) {
      return null;
    }
    open.add(block);
    return new BlockCall() {
      @Override
      public @Nullable Object exit(@Nullable Object result, @Nullable Throwable thrown) {
        open.remove(open.size() - 1);
        return thrown == null && result instanceof NDList outputs
            ? returned(block, outputs)
            : result;
      }
    };
  }

  /** A block that calls its own forward again (super.forward) is one call. */
  private boolean isOpen(Block block) {
    for (Block other : open) {
      if (other == block) {
        return true;
      }
    }
    return false;
  }

  abstract boolean concerns(Block block);

  /** What the caller of the block gets. */
  abstract NDList returned(Block block, NDList outputs);
}
