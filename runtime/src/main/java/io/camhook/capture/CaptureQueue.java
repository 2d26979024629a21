package io.camhook.capture;

import io.camhook.config.CamhookConfig;
import io.camhook.recording.Counters;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/*
 * Passes end on many threads and their captures leave on one. A submitting thread does no more than
 * put a reference in a list under the lock; predictions, checksums and writes all happen on the writer
 * thread, outside the lock.
 *
 * The bound is in bytes and includes the capture that is being written: an item's bytes are charged when
 * it enters and released only after it was written and discarded, so the tensors that wait can never
 * hold more than the capacity, however slow the sink. Nothing comes on top: the sink writes the tensors
 * from where they lie. An item larger than the whole capacity could never enter, hence it is dropped under either
 * policy.
 *
 * Every item has exactly one fate. `fired` is counted in the same critical section that decides between
 * entering and being dropped (a blocked thread counts when it stops waiting), and `written` or `failed` in
 * the one that releases the item's bytes. So fired = written + dropped + failed + (waiting or being
 * written) holds whenever the lock is free, and the last term is 0 once the queue is closed. All fields
 * below are guarded by the lock.
 *
 * Closing stops entry first, wakes blocked threads (their captures are dropped), and lets the writer drain
 * the rest, close the sink with the final counters and end. The writer survives whatever an item or the
 * sink throws: the item counts as failed.
 */
/**
 * The bounded way from the threads that run models to the sink. Thread-safe; {@link #submit} never
 * throws, so that no failure of recording reaches the application.
 */
public final class CaptureQueue implements AutoCloseable {
  /** How long {@link #close()} waits for the sink. */
  static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(10);

  private final CaptureSink sink;
  private final long capacity;
  private final CamhookConfig.Limits.WhenFull whenFull;
  private final BiConsumer<String, @Nullable Throwable> log;
  private final Thread writer;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition work = lock.newCondition();
  private final Condition progress = lock.newCondition();
  private final Queue<Item> waiting = new ArrayDeque<>();
  private long heldBytes;
  private long fired;
  private long written;
  private long dropped;
  private long failed;
  private long entered;
  private long finished;
  private long flushWanted;
  private long flushDone;
  private boolean flushFailed;
  private boolean closing;
  private boolean terminated;
  private boolean dropReported;
  private boolean failureReported;
  private @Nullable Thread shutdownHook;

  /** A capture and the bytes it is charged with. */
  private record Item(PendingCapture capture, long bytes) {}

  /**
   * Starts the writer thread, a daemon.
   *
   * @param sink where captures go; the queue closes it
   * @param limits {@code queueBytes} and {@code whenFull}
   * @param log takes the first drop, the first failed capture, and failures to flush or close
   */
  public CaptureQueue(
      CaptureSink sink, CamhookConfig.Limits limits, BiConsumer<String, @Nullable Throwable> log) {
    this.sink = sink;
    this.capacity = limits.queueBytes();
    this.whenFull = limits.whenFull();
    this.log = log;
    this.writer = new Thread(this::writeUntilClosed, "camhook-writer");
    writer.setDaemon(true);
    writer.start();
  }

  /**
   * Takes over {@code capture}. If it does not fit, it is discarded (drop), or this thread waits
   * until it does (block). A capture larger than the whole queue, one submitted after {@link
   * #close} and one whose thread is interrupted while it waits are dropped.
   *
   * @return whether the capture entered the queue
   */
  public boolean submit(PendingCapture capture) {
    long bytes;
    try {
      bytes = capture.bytes();
    } catch (Throwable e) {
      discard(capture);
      countFailure(e, 1, 0);
      return false;
    }
    String refusal;
    boolean firstDrop;
    lock.lock();
    try {
      refusal = awaitRoom(bytes);
      fired++;
      if (refusal == null) {
        waiting.add(new Item(capture, bytes));
        heldBytes += bytes;
        entered++;
        work.signal();
        return true;
      }
      dropped++;
      firstDrop = !dropReported;
      dropReported = true;
    } finally {
      lock.unlock();
    }
    if (firstDrop) {
      report("a capture was dropped, further ones are only counted: " + refusal, null);
    }
    discard(capture);
    return false;
  }

  /** Counts a capture that was lost before there was anything to take over: fired and failed. */
  public void lost() {
    lock.lock();
    try {
      fired++;
      failed++;
    } finally {
      lock.unlock();
    }
  }

  /** Returns why {@code bytes} do not enter; null once there is room. */
  private @Nullable String awaitRoom(long bytes) {
    if (bytes > capacity) {
      return "it holds %d bytes, limits.queue is %d".formatted(bytes, capacity);
    }
    boolean wait =
        whenFull == CamhookConfig.Limits.WhenFull.BLOCK && Thread.currentThread() != writer;
    while (!closing && bytes > capacity - heldBytes) {
      if (!wait) {
        return "the queue holds %d of %d bytes".formatted(heldBytes, capacity);
      }
      try {
        progress.await();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return "its thread was interrupted while the queue was full";
      }
    }
    return closing ? "the queue is closed" : null;
  }

  /** A consistent reading of the counters; those not yet written make up the difference. */
  public Counters counters() {
    lock.lock();
    try {
      return new Counters(fired, written, dropped, failed);
    } finally {
      lock.unlock();
    }
  }

  /** Bytes that waiting captures and the one being written hold; never above the limit. */
  public long heldBytes() {
    lock.lock();
    try {
      return heldBytes;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Waits until the sink has everything that entered before this call and has flushed it.
   *
   * @return false if that took longer than {@code timeout}, the flush failed, or the thread was
   *     interrupted (its flag is set again)
   */
  public boolean flush(Duration timeout) {
    lock.lock();
    try {
      long target = entered;
      flushWanted = Math.max(flushWanted, target);
      work.signal();
      long nanos = timeout.toNanos();
      while (flushDone < target && !terminated) {
        if (nanos <= 0) {
          return false;
        }
        nanos = progress.awaitNanos(nanos);
      }
      return !flushFailed;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    } finally {
      lock.unlock();
    }
  }

  /** Closes within ten seconds; see {@link #close(Duration)}. */
  @Override
  public void close() {
    close(CLOSE_TIMEOUT);
  }

  /**
   * Lets nothing more in, writes what waits and closes the sink. What waits longer than {@code
   * timeout} is dropped; a write that hangs is left alone. Idempotent.
   *
   * @return whether the sink was closed in time: from then on the counters add up and stay
   */
  public boolean close(Duration timeout) {
    List<Item> late = new ArrayList<>();
    boolean interrupted = false;
    boolean closed;
    lock.lock();
    try {
      closing = true;
      work.signal();
      progress.signalAll();
      long deadline = System.nanoTime() + timeout.toNanos();
      while (!terminated && deadline - System.nanoTime() > 0) {
        try {
          progress.awaitNanos(deadline - System.nanoTime());
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
      closed = terminated;
      late.addAll(waiting);
      waiting.clear();
      dropped += late.size();
      late.forEach(item -> heldBytes -= item.bytes());
    } finally {
      lock.unlock();
    }
    late.forEach(item -> discard(item.capture()));
    forgetShutdownHook();
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    return closed;
  }

  /** Has the JVM close this queue when it shuts down, unless it is closed before. */
  public void closeAtShutdown() {
    Thread hook = new Thread(this::close, "camhook-shutdown");
    lock.lock();
    try {
      if (shutdownHook != null || closing) {
        return;
      }
      shutdownHook = hook;
    } finally {
      lock.unlock();
    }
    Runtime.getRuntime().addShutdownHook(hook);
  }

  private void forgetShutdownHook() {
    Thread hook;
    lock.lock();
    try {
      hook = shutdownHook;
      shutdownHook = null;
    } finally {
      lock.unlock();
    }
    if (hook != null && hook != Thread.currentThread()) {
      try {
        Runtime.getRuntime().removeShutdownHook(hook);
      } catch (IllegalStateException e) {
        // the JVM is shutting down: the hook runs or has run, and closing twice is harmless
      }
    }
  }

  private void writeUntilClosed() {
    while (true) {
      Item next;
      lock.lock();
      try {
        while (waiting.isEmpty() && !flushIsDue() && !closing) {
          work.awaitUninterruptibly();
        }
        next = flushIsDue() ? null : waiting.poll();
        if (next == null && !flushIsDue()) {
          break;
        }
      } finally {
        lock.unlock();
      }
      if (next == null) {
        flushSink();
      } else {
        write(next);
      }
    }
    closeSink();
  }

  private boolean flushIsDue() {
    return flushWanted > flushDone && finished >= flushWanted;
  }

  private void write(Item item) {
    try {
      sink.write(item.capture().materialize());
    } catch (Throwable e) {
      discard(item.capture());
      countFailure(e, 0, item.bytes());
      return;
    }
    discard(item.capture());
    lock.lock();
    try {
      written++;
      release(item.bytes());
    } finally {
      lock.unlock();
    }
  }

  /**
   * Counts a failed capture; {@code newlyFired} is 0 if it was counted as fired when it entered.
   */
  private void countFailure(Throwable failure, int newlyFired, long bytes) {
    boolean firstFailure;
    lock.lock();
    try {
      fired += newlyFired;
      failed++;
      if (newlyFired == 0) {
        release(bytes);
      }
      firstFailure = !failureReported;
      failureReported = true;
    } finally {
      lock.unlock();
    }
    if (firstFailure) {
      report("a capture was not recorded, further ones are only counted", failure);
    }
  }

  private void release(long bytes) {
    heldBytes -= bytes;
    finished++;
    progress.signalAll();
  }

  private void flushSink() {
    boolean failure = false;
    try {
      sink.flush();
    } catch (Throwable e) {
      failure = true;
      report("captures could not be flushed", e);
    }
    lock.lock();
    try {
      flushFailed = failure;
      flushDone = finished;
      progress.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private void closeSink() {
    try {
      sink.close(counters());
    } catch (Throwable e) {
      report("the recording could not be closed", e);
    }
    lock.lock();
    try {
      terminated = true;
      progress.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private void discard(PendingCapture capture) {
    try {
      capture.discard();
    } catch (Throwable e) {
      report("the tensors of a capture could not be released", e);
    }
  }

  private void report(String message, @Nullable Throwable failure) {
    try {
      log.accept(message, failure);
    } catch (Throwable e) {
      // a log that fails must not stop the application or the writer
    }
  }
}
