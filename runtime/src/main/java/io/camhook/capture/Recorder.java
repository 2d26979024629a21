package io.camhook.capture;

import io.camhook.config.CamhookConfig;
import io.camhook.dispatch.EventLog;
import io.camhook.recording.Capture;
import io.camhook.recording.Counters;
import io.camhook.recording.ModelInfo;
import java.io.IOException;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.jspecify.annotations.Nullable;

/**
 * Where everything that is captured in this JVM goes: a queue, and behind it a sink that is opened
 * for the first capture, on the writer's thread, so that the application never waits for a disk and
 * a run without captures leaves nothing behind. Thread-safe.
 */
public final class Recorder implements AutoCloseable {
  /** Opens the sink; called once at most, and not before there is something to write. */
  @FunctionalInterface
  public interface SinkOpener {
    CaptureSink open() throws IOException;
  }

  private final CamhookConfig.Limits limits;
  private final String destination;
  private final EventLog log;
  private final LazySink sink;
  private final Set<String> names = ConcurrentHashMap.newKeySet();
  private @Nullable CaptureQueue queue;
  private boolean closed;

  /**
   * @param limits bounds of the queue
   * @param destination where captures go, for messages
   * @param opener makes the sink
   * @param log takes the first failure and, at the end, the counters
   */
  public Recorder(
      CamhookConfig.Limits limits, String destination, SinkOpener opener, EventLog log) {
    this.limits = limits;
    this.destination = destination;
    this.log = log;
    this.sink = new LazySink(opener);
  }

  /**
   * Takes over a capture; never throws.
   *
   * @return whether it will be written
   */
  public boolean submit(PendingCapture capture) {
    CaptureQueue open = queue();
    if (open == null) {
      capture.discard();
      return false;
    }
    return open.submit(capture);
  }

  /** A capture could not be made: it counts as failed. Who knows why says so. */
  public void lost() {
    CaptureQueue open = queue();
    if (open != null) {
      open.lost();
    }
  }

  /** Notes a model and its modules; they are written with the next capture. */
  public void model(ModelInfo model) {
    names.add(model.name());
    sink.models.add(model);
  }

  /** Names of the models that were noted. */
  public Set<String> models() {
    return Set.copyOf(names);
  }

  /** Names of the models of which at least one capture was written. */
  public Set<String> recorded() {
    return Set.copyOf(sink.recorded);
  }

  /** What became of the captures so far. */
  public synchronized Counters counters() {
    return queue == null ? Counters.NONE : queue.counters();
  }

  private synchronized @Nullable CaptureQueue queue() {
    if (queue == null && !closed) {
      queue = new CaptureQueue(sink, limits, this::report);
    }
    return queue;
  }

  private void report(String message, @Nullable Throwable cause) {
    if (cause == null) {
      log.warn(message);
    } else if (cause instanceof IOException) {
      log.warn(message + ": " + cause.getMessage());
    } else {
      log.failure(message, cause);
    }
  }

  /** Writes what waits, and says in one line what became of all captures. Idempotent. */
  @Override
  public void close() {
    CaptureQueue open;
    synchronized (this) {
      open = closed ? null : queue;
      closed = true;
    }
    if (open != null) {
      open.close();
      Counters counters = open.counters();
      log.info(
          "%d of %d captures written to %s, %d dropped, %d failed"
              .formatted(
                  counters.written(),
                  counters.fired(),
                  destination,
                  counters.dropped(),
                  counters.failed()));
    }
  }

  private static final class LazySink implements CaptureSink {
    final Queue<ModelInfo> models = new ConcurrentLinkedQueue<>();
    final Set<String> recorded = ConcurrentHashMap.newKeySet();
    private final SinkOpener opener;
    private @Nullable CaptureSink opened;
    private @Nullable IOException refusal;

    LazySink(SinkOpener opener) {
      this.opener = opener;
    }

    @Override
    public void write(Capture capture) throws IOException {
      CaptureSink target = open();
      for (ModelInfo model = models.poll(); model != null; model = models.poll()) {
        target.model(model);
      }
      target.write(capture);
      recorded.add(capture.model());
    }

    private CaptureSink open() throws IOException {
      if (refusal != null) {
        throw refusal;
      }
      if (opened == null) {
        try {
          opened = opener.open();
        } catch (IOException e) {
          refusal = e;
          throw e;
        }
      }
      return opened;
    }

    @Override
    public void flush() throws IOException {
      if (opened != null) {
        opened.flush();
      }
    }

    @Override
    public void close(Counters counters) throws IOException {
      if (opened != null) {
        opened.close(counters);
      }
    }
  }
}
