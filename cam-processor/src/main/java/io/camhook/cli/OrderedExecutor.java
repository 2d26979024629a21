package io.camhook.cli;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/*
 * The caller reads captures one after the other and adds the work on each. Workers do it on all cores. When
 * twice as many are in progress as there are workers, the caller waits for the oldest and takes its result. So
 * memory is bounded, and results come in the order of the captures. Everything but the work runs on the
 * caller's thread.
 */
/** Runs tasks on all cores and delivers their results in the order of submission. */
final class OrderedExecutor<T> implements AutoCloseable {
  /** Receives results, on the thread that submits the tasks. */
  interface Sink<T> {
    void accept(T result) throws IOException;
  }

  private final ExecutorService workers;
  private final Deque<Future<T>> underWay = new ArrayDeque<>();
  private final int most;
  private final Sink<T> sink;

  OrderedExecutor(Sink<T> sink) {
    this(Runtime.getRuntime().availableProcessors(), sink);
  }

  OrderedExecutor(int threads, Sink<T> sink) {
    this.sink = sink;
    this.most = 2 * threads;
    this.workers =
        Executors.newFixedThreadPool(
            threads,
            work -> {
              Thread thread = new Thread(work, "camhook-worker");
              thread.setDaemon(true);
              return thread;
            });
  }

  /**
   * Submits a task; delivers finished results, and waits for the oldest task if many are running.
   *
   * @throws IOException thrown by a task submitted earlier
   */
  void add(Callable<T> work) throws IOException {
    underWay.add(workers.submit(work));
    while (underWay.size() > most || underWay.getFirst().isDone()) {
      handOn();
      if (underWay.isEmpty()) {
        return;
      }
    }
  }

  /** Waits for all tasks and delivers the remaining results. */
  void finish() throws IOException {
    while (!underWay.isEmpty()) {
      handOn();
    }
  }

  private void handOn() throws IOException {
    T result;
    try {
      result = underWay.removeFirst().get();
    } catch (ExecutionException e) {
      Throwable thrown = e.getCause();
      if (thrown instanceof IOException failure) {
        throw failure;
      }
      if (thrown instanceof RuntimeException failure) {
        throw failure;
      }
      if (thrown instanceof Error error) {
        throw error;
      }
      throw new IOException(thrown);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CancellationException("interrupted");
    }
    sink.accept(result);
  }

  /** Cancels running tasks. */
  @Override
  public void close() {
    workers.shutdownNow();
  }
}
