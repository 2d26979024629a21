package io.camhook.capture;

import io.camhook.config.CamhookConfig;
import io.camhook.dispatch.EventLog;
import io.camhook.recording.Capture;
import io.camhook.recording.Counters;
import io.camhook.recording.ModelContent;
import io.camhook.recording.ModelFile;
import io.camhook.recording.ModelInfo;
import java.io.IOException;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Receives every capture of this JVM: a queue followed by a sink. The sink is opened for the first
 * capture, on the writer's thread, so that the application never waits for a disk and a run without
 * captures leaves no files. Thread-safe.
 */
public final class Recorder implements AutoCloseable {
  /** Opens the sink; called when there is something to write, and again after it has failed. */
  @FunctionalInterface
  public interface SinkOpener {
    CaptureSink open() throws IOException;
  }

  /** Milliseconds that the end waits for a hash of a model's file. */
  private static final long LONGEST_HASH = 2000;

  private final CamhookConfig.Limits limits;
  private final String destination;
  private final EventLog log;
  private final LazySink sink;
  private final UnaryOperator<Capture> preparation;
  private final Observers observers = new Observers();
  private final Set<String> names = ConcurrentHashMap.newKeySet();
  private volatile @Nullable CaptureQueue queue;
  private boolean closed;

  /**
   * @param limits bounds of the queue
   * @param destination where captures go, for messages
   * @param opener makes the sink
   * @param log takes what {@link CaptureQueue} has to say and, at the end, the counters
   */
  public Recorder(
      CamhookConfig.Limits limits, String destination, SinkOpener opener, EventLog log) {
    this(limits, destination, opener, UnaryOperator.identity(), log);
  }

  /**
   * The same, with a step before the sink.
   *
   * @param preparation turns a capture into what is written; runs on the writer thread
   */
  public Recorder(
      CamhookConfig.Limits limits,
      String destination,
      SinkOpener opener,
      UnaryOperator<Capture> preparation,
      EventLog log) {
    this.preparation = preparation;
    this.limits = limits;
    this.destination = destination;
    this.log = log;
    this.sink = new LazySink(opener, Math.min(LONGEST_HASH, limits.close().toMillis() / 4));
  }

  /**
   * Asks whether a request that was sampled may be captured; see {@link CaptureQueue#admit}.
   *
   * @return to be closed at the end of the request; null if it is not captured
   */
  public @Nullable Admission admit() {
    try {
      CaptureQueue open = queue();
      return open == null ? null : open.admit();
    } catch (Throwable e) {
      lost(e);
      return null;
    }
  }

  /** The same for callers that do not know when the request ends: no room is reserved. */
  public boolean admits() {
    Admission admission = admit();
    if (admission != null) {
      admission.close();
    }
    return admission != null;
  }

  /**
   * Reserves room in the queue for {@code bytes} that a request needs temporarily besides its
   * capture. Without room, its capture counts as dropped.
   *
   * @return to be closed when the bytes are freed; null if there is no room
   */
  public @Nullable Admission reserve(long bytes) {
    CaptureQueue open = queue();
    return open == null ? null : open.reserve(bytes);
  }

  /**
   * Takes over a capture; never throws.
   *
   * @return whether it will be written
   */
  public boolean submit(PendingCapture capture) {
    try {
      CaptureQueue open = queue();
      if (open != null) {
        return open.submit(capture);
      }
      capture.discard();
    } catch (Throwable e) {
      lost(e);
    }
    return false;
  }

  /**
   * Notes how long capturing took on a request's thread, in addition to the application's own work.
   */
  public void took(long nanos) {
    CaptureQueue made = queue;
    if (made != null) {
      made.took(nanos);
    }
  }

  /**
   * Notes that an admitted request is not captured, because its result does not meet {@code
   * sampling.when}.
   */
  public void skipped() {
    CaptureQueue made = queue;
    if (made != null) {
      made.skipped();
    }
  }

  /**
   * Counts a capture that could not be made as failed. Logs the cause if there is one; if memory
   * ran out, capturing stops.
   */
  public void lost(@Nullable Throwable cause) {
    try {
      CaptureQueue open = queue();
      if (open != null) {
        open.lost(cause);
      }
    } catch (Throwable e) {
      // memory ran out even for this: nothing of it may reach the application
    }
  }

  /** Called when something failed during a capture: if memory ran out, capturing stops. */
  public void checkMemory(Throwable failure) {
    CaptureQueue made = queue;
    if (made != null && Memory.ranOut(failure)) {
      made.switchOff();
    }
  }

  /** Counts a capture as failed for another reason than memory. */
  public void lost() {
    lost(null);
  }

  /**
   * Notes a model and its modules; they are written with the next capture.
   *
   * @param file the file that it was loaded from, null if unknown; its hash is computed later, on
   *     another thread
   */
  public void model(ModelInfo model, @Nullable ModelFile file) {
    sink.hashes.file(model.name(), file);
    model(model);
  }

  /**
   * Notes a model whose file is not known when it is captured for the first time.
   *
   * @param parameters called if no model of that name has been hashed; the hash is computed later,
   *     on another thread, which closes the result
   */
  public void captured(ModelInfo model, Supplier<ModelContent> parameters) {
    sink.hashes.parameters(model.name(), parameters);
    model(model);
  }

  /** Notes what has become known about a model. */
  public void model(ModelInfo model) {
    names.add(model.name());
    sink.models.add(model);
  }

  /** Has observers begin, if they have not, and look soon: there is something new to show. */
  public void tickSoon() {
    CaptureQueue open = queue();
    if (open != null) {
      open.tickSoon();
    }
  }

  /** Notifies {@code observer} of how captures end from now on. */
  public void observe(CaptureObserver observer) {
    observers.add(observer);
  }

  /** Names of the models that were noted. */
  public Set<String> models() {
    return Set.copyOf(names);
  }

  /** Names of the models of which at least one capture was written. */
  public Set<String> recorded() {
    return Set.copyOf(sink.recorded);
  }

  /** The current counters. */
  public Counters counters() {
    return status().counters();
  }

  /** The current state of the captures. */
  public CaptureStatus status() {
    CaptureQueue made = queue;
    return made == null ? CaptureStatus.IDLE : made.status();
  }

  /** The current counters in one line. */
  public String statusLine() {
    return status().inWords(destination);
  }

  /** Where captures go, for messages. */
  public String destination() {
    return destination;
  }

  private @Nullable CaptureQueue queue() {
    CaptureQueue made = queue;
    return made == null ? makeQueue() : made;
  }

  private synchronized @Nullable CaptureQueue makeQueue() {
    if (queue == null && !closed) {
      queue =
          new CaptureQueue(
              sink,
              limits,
              preparation,
              observers,
              () -> observers.each(observer -> observer.began(this)),
              this::report);
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

  /** Writes the waiting captures and logs the final counters in one line. Idempotent. */
  @Override
  public void close() {
    CaptureQueue open;
    synchronized (this) {
      open = closed ? null : queue;
      closed = true;
    }
    if (open != null) {
      open.close();
      observers.each(CaptureObserver::close);
      CaptureStatus last = open.status();
      if (last.sampled() > 0 || last.counters().fired() > 0) {
        log.info(last.inWords(destination));
      }
    }
  }

  private static final class LazySink implements CaptureSink {
    final Queue<ModelInfo> models = new ConcurrentLinkedQueue<>();
    final Set<String> recorded = ConcurrentHashMap.newKeySet();
    final ModelHashes hashes = new ModelHashes(models::add);
    private final SinkOpener opener;
    private final long longestHash;
    private volatile @Nullable CaptureSink opened;

    LazySink(SinkOpener opener, long longestHash) {
      this.opener = opener;
      this.longestHash = longestHash;
    }

    @Override
    public void write(Capture capture) throws IOException {
      target().write(capture);
      recorded.add(capture.model());
    }

    @Override
    public void write(Capture capture, Receipt receipt) throws IOException {
      target().write(capture, receipt);
      recorded.add(capture.model());
    }

    private CaptureSink target() throws IOException {
      CaptureSink target = opened;
      if (target == null) {
        target = opener.open();
        opened = target;
      }
      noteModels(target);
      return target;
    }

    private void noteModels(CaptureSink target) throws IOException {
      for (ModelInfo model = models.peek(); model != null; model = models.peek()) {
        target.model(hashes.noted(model));
        models.remove(); // noted: if that fails, it is noted with the next capture
      }
    }

    @Override
    public void flush() throws IOException {
      if (opened != null) {
        opened.flush();
      }
    }

    @Override
    public void note(CaptureStatus status) throws IOException {
      if (opened != null) {
        opened.note(status);
      }
    }

    @Override
    public long gone() {
      return opened == null ? 0 : opened.gone();
    }

    @Override
    public void close(CaptureStatus status) throws IOException {
      CaptureSink target = opened;
      if (target == null) {
        hashes.finish(0);
        return;
      }
      try {
        hashes.finish(longestHash);
        noteModels(target);
      } finally {
        target.close(status);
      }
    }
  }
}
