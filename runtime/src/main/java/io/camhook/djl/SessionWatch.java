package io.camhook.djl;

import ai.djl.ndarray.NDList;
import ai.djl.nn.Block;
import io.camhook.dispatch.BlockCall;
import io.camhook.dispatch.Dispatch;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Sees what the blocks of one pass of a session return, and may put something else in its place.
 */
abstract class SessionWatch implements PassWatch, AutoCloseable {
  private final List<Block> open = new ArrayList<>();
  private @Nullable Block root;
  private boolean seenRoot;
  private @Nullable PassWatch before;

  /** Watches this thread until {@link #close}. */
  final void begin(Block model) {
    root = model;
    Dispatch.retain();
    ThreadWork work = ThreadWork.begin();
    before = work.watch;
    work.watch = this;
  }

  @Override
  public final void close() {
    Dispatch.release();
    ThreadWork work = ThreadWork.current();
    if (work != null) {
      work.watch = before;
      work.endIfIdle();
    }
  }

  /** Whether woven code was at work. */
  final boolean hasSeenRoot() {
    return seenRoot;
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
