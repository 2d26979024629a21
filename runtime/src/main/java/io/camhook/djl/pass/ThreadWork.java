package io.camhook.djl.pass;

import ai.djl.nn.Block;
import io.camhook.dispatch.BlockCall;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * camhook's state on a thread: the running blocks and the watched pass. It exists only while
 * camhook is doing something on the thread, so nothing is left behind.
 */
public final class ThreadWork {
  private static final Map<Thread, ThreadWork> BY_THREAD = new ConcurrentHashMap<>();

  @Nullable public PassWatch watch;
  private @Nullable Block outermost;
  private @Nullable Class<?> outermostDeclares;
  private @Nullable List<Block> inner; // made when a second block begins
  private final List<Class<?>> innerDeclares = new ArrayList<>(0);
  private @Nullable BlockCall plainCall;

  private ThreadWork() {}

  public static @Nullable ThreadWork current() {
    return BY_THREAD.get(Thread.currentThread());
  }

  public static ThreadWork begin() {
    Thread thread = Thread.currentThread();
    ThreadWork work = BY_THREAD.get(thread);
    if (work == null) {
      work = new ThreadWork();
      BY_THREAD.put(thread, work);
    }
    return work;
  }

  /** Forgets the thread if camhook is doing nothing on it. */
  public void endIfIdle() {
    if (watch == null && outermost == null) {
      BY_THREAD.remove(Thread.currentThread());
    }
  }

  /**
   * Whether a forward that begins is part of the innermost running one, that is, a class's forward
   * has called the one that it overrides. A block that calls its own forward recursively makes
   * another call.
   *
   * @param declares the class that declares the method
   */
  public boolean isPartOfInnermost(Block block, Class<?> declares) {
    int nested = innerDeclares.size();
    Class<?> running = nested == 0 ? outermostDeclares : innerDeclares.get(nested - 1);
    return isInnermost(block)
        && running != null
        && running != declares
        && declares.isAssignableFrom(running);
  }

  /** Whether {@code block} is the innermost running block. */
  public boolean isInnermost(Block block) {
    return (inner == null || inner.isEmpty() ? outermost : inner.get(inner.size() - 1)) == block;
  }

  public void push(Block block, Class<?> declares) {
    if (outermost == null) {
      outermost = block;
      outermostDeclares = declares;
      return;
    }
    if (inner == null) {
      inner = new ArrayList<>();
    }
    inner.add(block);
    innerDeclares.add(declares);
  }

  public void pop() {
    if (inner != null && !inner.isEmpty()) {
      inner.remove(inner.size() - 1);
      innerDeclares.remove(innerDeclares.size() - 1);
      return;
    }
    outermost = null;
    outermostDeclares = null;
    endIfIdle();
  }

  /** The call of a block without hooks. */
  public BlockCall plainCall() {
    if (plainCall == null) {
      plainCall =
          (result, thrown) -> {
            pop();
            return result;
          };
    }
    return plainCall;
  }

  /** The call of a block without hooks that is captured. */
  public BlockCall plainCall(BlockCall capture) {
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
  public Block root() {
    if (outermost == null) {
      throw new IllegalStateException("no block is running");
    }
    return outermost;
  }
}
