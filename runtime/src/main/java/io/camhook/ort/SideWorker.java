package io.camhook.ort;

import java.time.Duration;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * The thread that creates side sessions, so that no application thread waits for one, and that
 * repeats the passes that came before their side session was ready. It ends after being idle for a
 * while.
 */
final class SideWorker {
  private static final long IDLE_SECONDS = 10;
  private static final long CALL_MINUTES = 10;

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
      setContextClassLoader(null); // it would hold a web application's loader
    }
  }

  /** Whether the current thread is a worker. */
  static boolean isCurrent() {
    return Thread.currentThread() instanceof Worker;
  }

  /** Does something after the earlier tasks; not after {@link #finish}. */
  void later(Runnable work) {
    thread.execute(work);
  }

  /**
   * Finishes its tasks as far as the time allows, then ends the current one. It always waits for a
   * call into onnxruntime: if the environment ended during the call, the JVM would crash.
   *
   * @return whether all tasks were done
   */
  boolean finish(Duration atMost) {
    thread.shutdown();
    try {
      boolean done = thread.awaitTermination(atMost.toMillis(), TimeUnit.MILLISECONDS);
      if (!done) {
        thread.shutdownNow();
        thread.awaitTermination(CALL_MINUTES, TimeUnit.MINUTES);
      }
      return done;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }
}
