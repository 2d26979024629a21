package io.camhook.djl;

import ai.djl.nn.Block;
import io.camhook.dispatch.BlockCall;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * What camhook is doing on a thread: the running blocks, the pass that is watched. There is none
 * for a thread where it does nothing, so that nothing is left behind.
 */
final class ThreadWork {
  private static final Map<Thread, ThreadWork> BY_THREAD = new ConcurrentHashMap<>();

  @Nullable PassWatch watch;
  private final List<Block> running = new ArrayList<>();

  /** The call of a block without hooks. */
  private final BlockCall plainCall =
      new BlockCall() {
        @Override
        public @Nullable Object exit(@Nullable Object result, @Nullable Throwable thrown) {
          pop();
          return result;
        }
      };

  private ThreadWork() {}

  static @Nullable ThreadWork current() {
    return BY_THREAD.get(Thread.currentThread());
  }

  static ThreadWork begin() {
    Thread thread = Thread.currentThread();
    ThreadWork work = BY_THREAD.get(thread);
    if (work == null) {
      work = new ThreadWork();
      BY_THREAD.put(thread, work);
    }
    return work;
  }

  /** Forgets the thread if nothing is under way. */
  void endIfIdle() {
    if (watch == null && running.isEmpty()) {
      BY_THREAD.remove(Thread.currentThread());
    }
  }

  /** Whether {@code block} is the innermost running block: it calls its own forward again. */
  boolean isInnermost(Block block) {
    return !running.isEmpty() && running.get(running.size() - 1) == block;
  }

  void push(Block block) {
    running.add(block);
  }

  void pop() {
    running.remove(running.size() - 1);
    endIfIdle();
  }

  BlockCall plainCall() {
    return plainCall;
  }

  /** The call of a block without hooks that is captured. */
  BlockCall plainCall(BlockCall capture) {
    return new BlockCall() {
      @Override
      public @Nullable Object exit(@Nullable Object result, @Nullable Throwable thrown) {
        try {
          return capture.exit(result, thrown);
        } finally {
          pop();
        }
      }

      @Override
      public boolean recovered() {
        return capture.recovered();
      }
    };
  }

  /** The outermost running block. */
  Block root() {
    return running.get(0);
  }
}
