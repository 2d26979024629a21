package io.camhook.ort;

import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * The thread that makes side sessions, so that no thread of the application waits for one, and that
 * repeats the passes that came before theirs was there. It ends when it has had nothing to do for a
 * while.
 */
final class SideWorker implements AutoCloseable {
  private static final long IDLE_SECONDS = 10;
  private static final long CLOSE_SECONDS = 30;

  private final ThreadPoolExecutor thread =
      new ThreadPoolExecutor(
          1, 1, IDLE_SECONDS, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), Worker::new);

  SideWorker() {
    thread.allowCoreThreadTimeOut(true);
  }

  private static final class Worker extends Thread {
    Worker(Runnable work) {
      super(null, work, "camhook-onnx", 0, false);
      setDaemon(true);
      setContextClassLoader(null); // that of a web application would be held
    }
  }

  /** Whether this is the thread of one. */
  static boolean isCurrent() {
    return Thread.currentThread() instanceof Worker;
  }

  /** Does something after what it has been told before; not after {@link #close}. */
  void later(Runnable work) {
    thread.execute(work);
  }

  /**
   * Ends what it was told, if that takes no longer than a few seconds.
   *
   * @return whether all of it was done
   */
  boolean finish() {
    thread.shutdown();
    try {
      return thread.awaitTermination(CLOSE_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  @Override
  public void close() {
    thread.shutdownNow();
  }
}
