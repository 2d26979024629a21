package io.camhook.capture;

import io.camhook.config.CamhookConfig.Limits;
import io.camhook.recording.Capture;
import io.camhook.recording.Counters;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BiConsumer;
import java.util.function.UnaryOperator;
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
 * Captures that do not exist yet are bounded too. A request asks for admission before its pass runs, and is
 * charged with as many bytes as captures have lately had until it ends; with `block`, this is where it
 * waits, so that a thread that waits holds no tensors.
 *
 * A sink that fails does not lose what has entered: the writer keeps the capture and tries it again after
 * a delay (see Breaker). Meanwhile no request is admitted, so it costs what one that is not sampled costs.
 *
 * A sink may learn only later whether a capture has arrived (a broker acknowledges it). Such a capture is in
 * flight: its tensors are given back when the sink has a copy, its bytes stay charged until its fate is known.
 *
 * Every item has exactly one fate. `fired` is counted in the same critical section that decides between
 * entering and being dropped (a blocked thread counts when it stops waiting), and `written` or a loss in
 * the one that releases the item's bytes. So fired = written + dropped + failed + (waiting, being
 * written or in flight) holds whenever the lock is free, and the last term is 0 once the queue is closed. A capture
 * whose write hangs when closing times out counts as failed; if the write ends after all, its count
 * moves to where it belongs. Requests that are not admitted while the sink fails are counted in adders
 * outside the lock, each of which stands for one fired and one dropped. All other fields below are
 * guarded by the lock.
 *
 * Closing stops entry first, wakes blocked threads (their captures are dropped), and lets the writer drain
 * the rest, close the sink with the final counters and end. The writer survives whatever an item or the
 * sink throws.
 */
/**
 * The bounded queue between the threads that run models and the sink. Thread-safe; {@link #submit}
 * never throws, so no recording failure reaches the application.
 */
public final class CaptureQueue implements AutoCloseable {
  private static final long NOTE_INTERVAL = Duration.ofSeconds(5).toNanos();

  /** Many things that are new at about the same time make one note. */
  private static final long SOON = Duration.ofMillis(100).toNanos();

  /** The maximum number of distinct causes in the log. */
  private static final int CAUSES = 100;

  private final CaptureSink sink;
  private final long capacity;
  private final Limits limits;
  private final UnaryOperator<Capture> preparation;
  private final Observers observers;
  private final Runnable beginning;
  private final BiConsumer<String, @Nullable Throwable> log;
  private final Thread writer;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition work = lock.newCondition();
  private final Condition progress = lock.newCondition();
  private final Queue<Item> waiting = new ArrayDeque<>();
  private final Breaker breaker = new Breaker();
  private final Map<Loss, Long> losses = new EnumMap<>(Loss.class);
  private final LongAdder refusedPaused = new LongAdder();
  private final LongAdder refusedOff = new LongAdder();
  private final LongAdder sampled = new LongAdder();
  private final LongAdder skipped = new LongAdder();
  private final TimeHistogram requestTime = new TimeHistogram();
  private final Set<String> reported = new HashSet<>();

  /**
   * The capture that the writer thread is working on; kept until it is counted as written or lost.
   */
  private @Nullable Item current;

  /** Captures that the sink has accepted and whose outcome is not yet known. */
  private final Set<Item> flying = new LinkedHashSet<>();

  /** When a queue that is closing no longer waits for what is in flight. */
  private long landBy;

  private long heldBytes;
  private long reservedBytes;
  private long usualBytes;
  private long highWater;
  private long fired;
  private long written;
  private long writtenBytes;
  private long knownGone;
  private long entered;
  private long finished;
  private long flushWanted;
  private long flushDone;
  private boolean flushFailed;
  private long noteAt;
  private long refusedBefore;
  private @Nullable String pauseReason;
  private boolean closing;
  private boolean terminated;
  private @Nullable Thread shutdownHook;

  /** Both are read before anything else is done for a request. */
  private volatile boolean paused;

  private volatile boolean off;

  /** A capture and the bytes that it counts for. */
  private static final class Item {
    final PendingCapture pending;
    final long bytes;

    /** Once it was made; used by the writer thread alone. */
    @Nullable Capture made;

    /** Whether it has been counted as written or lost. */
    boolean decided;

    /** Why it was lost; null if it was written. */
    @Nullable Loss loss;

    /** Whether the writer is done with it and its tensors were freed. */
    boolean handedOver;

    /** How it was counted because closing did not wait for it. */
    @Nullable Loss givenUp;

    Item(PendingCapture pending, long bytes) {
      this.pending = pending;
      this.bytes = bytes;
    }
  }

  private enum Step {
    WRITE,
    FLUSH,
    NOTE,
    END
  }

  /**
   * Starts the writer thread, a daemon.
   *
   * @param sink where captures go; the queue closes it
   * @param limits bounds of bytes and times
   * @param log takes each cause of a loss once, the end of a pause, and failures to flush or close
   */
  public CaptureQueue(
      CaptureSink sink, Limits limits, BiConsumer<String, @Nullable Throwable> log) {
    this(sink, limits, UnaryOperator.identity(), new Observers(), () -> {}, log);
  }

  /**
   * The same, with a step before the sink.
   *
   * @param preparation turns a capture into what is written; runs on the writer thread
   * @param observers notified of how captures end
   * @param beginning runs first on the writer thread; must not throw
   */
  CaptureQueue(
      CaptureSink sink,
      Limits limits,
      UnaryOperator<Capture> preparation,
      Observers observers,
      Runnable beginning,
      BiConsumer<String, @Nullable Throwable> log) {
    this.sink = sink;
    this.capacity = capacity(limits);
    this.limits = limits;
    this.preparation = preparation;
    this.observers = observers;
    this.beginning = beginning;
    this.log = log;
    this.noteAt = System.nanoTime() + NOTE_INTERVAL;
    this.writer = DaemonThread.of("camhook-writer", this::writeUntilClosed);
    writer.start();
  }

  /** Bytes that {@code limits.queue} comes to. */
  public static long capacity(Limits limits) {
    return limits.queueBytes() == Limits.AUTO ? Memory.queueBytes() : limits.queueBytes();
  }

  /**
   * Asks whether a request that was sampled may be captured. With {@code block} this waits for
   * room, at most {@code limits.maxWait}.
   *
   * @return to be closed at the end of the request; null if it is not captured
   */
  public @Nullable Admission admit() {
    sampled.increment();
    if (off) {
      refusedOff.increment();
      return null;
    }
    if (paused) {
      refusedPaused.increment();
      return null;
    }
    lock.lock();
    long bytes;
    try {
      bytes = Math.min(usualBytes, capacity);
    } finally {
      lock.unlock();
    }
    return reserve(bytes, 0);
  }

  /**
   * Reserves room for {@code bytes} that a request needs besides its capture. Without room, its
   * capture counts as dropped.
   *
   * @return to be closed when the bytes are freed; null if there is no room
   */
  public @Nullable Admission reserve(long bytes) {
    return reserve(bytes, bytes);
  }

  private @Nullable Admission reserve(long bytes, long reported) {
    Loss loss;
    lock.lock();
    try {
      loss = awaitRoom(bytes, true);
      if (loss == null) {
        reservedBytes += bytes;
        return new Admission(this, bytes);
      }
      fired++;
      lose(loss, 1);
    } finally {
      lock.unlock();
    }
    reportLoss(loss, reported, null);
    return null;
  }

  /** The request that was admitted has ended. */
  void ended(long reserved) {
    lock.lock();
    try {
      reservedBytes -= reserved;
      progress.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Notes how long capturing took on a request's thread, in addition to the application's own work.
   */
  void took(long nanos) {
    requestTime.add(nanos);
  }

  /**
   * Notes that an admitted request is not captured, because its result does not meet {@code
   * sampling.when}.
   */
  void skipped() {
    skipped.increment();
  }

  /** There is something new that observers should look at before their next turn. */
  void tickSoon() {
    lock.lock();
    try {
      long soon = System.nanoTime() + SOON;
      if (soon - noteAt < 0) {
        noteAt = soon;
        work.signal();
      }
    } finally {
      lock.unlock();
    }
  }

  /**
   * Takes over {@code capture}. If it does not fit, it is discarded (drop), or this thread waits
   * until it does (block), at most {@code limits.maxWait}. A capture larger than the whole queue,
   * one submitted after {@link #close} and one whose thread is interrupted while it waits are
   * dropped.
   *
   * @return whether the capture entered the queue
   */
  public boolean submit(PendingCapture capture) {
    long bytes;
    try {
      bytes = capture.bytes();
    } catch (Throwable e) {
      discard(capture);
      lost(Loss.CAPTURE, e);
      return false;
    }
    Loss loss;
    lock.lock();
    try {
      usualBytes = Math.max(bytes, usualBytes - usualBytes / 16);
      loss = awaitRoom(bytes, false);
      fired++;
      if (loss == null) {
        waiting.add(new Item(capture, bytes));
        heldBytes += bytes;
        highWater = Math.max(highWater, heldBytes);
        entered++;
        work.signal();
      } else {
        lose(loss, 1);
      }
    } finally {
      lock.unlock();
    }
    if (loss == null) {
      observers.each(observer -> observer.submitted(capture));
      return true;
    }
    discard(capture);
    reportLoss(loss, bytes, null);
    return false;
  }

  /**
   * Counts a capture that was lost before it could be submitted. If memory ran out, capturing
   * stops.
   *
   * @param cause why; null if it has been logged already
   */
  public void lost(@Nullable Throwable cause) {
    lost(Loss.PASS, cause);
  }

  private void lost(Loss loss, @Nullable Throwable cause) {
    lock.lock();
    try {
      fired++;
      lose(loss, 1);
    } finally {
      lock.unlock();
    }
    if (Memory.ranOut(cause)) {
      switchOff();
    } else if (cause != null && loss != Loss.PASS) {
      reportLoss(loss, 0, cause);
    } else {
      observers.each(observer -> observer.lost(loss));
    }
  }

  /** Memory ran out: frees the waiting captures and accepts no more. */
  void switchOff() {
    if (off) {
      return;
    }
    List<Item> given;
    lock.lock();
    try {
      off = true;
      given = new ArrayList<>(waiting);
      waiting.clear();
      lose(Loss.SWITCHED_OFF, given.size());
      given.forEach(this::release);
    } finally {
      lock.unlock();
    }
    given.forEach(item -> discard(item.pending));
    report(
        "memory ran out while captures were made; nothing is captured any more. The queue may hold %d bytes (limits.queue)"
            .formatted(capacity),
        null);
  }

  /**
   * Returns why {@code bytes} do not enter; null once there is room.
   *
   * @param beforePass whether they are only expected, by a pass that has not begun
   */
  private @Nullable Loss awaitRoom(long bytes, boolean beforePass) {
    if (bytes > capacity) {
      return Loss.TOO_LARGE;
    }
    boolean wait = limits.whenFull() == Limits.WhenFull.BLOCK && Thread.currentThread() != writer;
    long nanos = limits.maxWait().toNanos();
    while (!closing && !off && !hasRoom(bytes, beforePass)) {
      if (!wait) {
        return Loss.QUEUE_FULL;
      }
      if (nanos <= 0) {
        return Loss.WAITED;
      }
      try {
        nanos = progress.awaitNanos(nanos);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return Loss.INTERRUPTED;
      }
    }
    if (off) {
      return Loss.SWITCHED_OFF;
    }
    return closing ? Loss.CLOSED : null;
  }

  private boolean hasRoom(long bytes, boolean beforePass) {
    long taken = beforePass ? heldBytes + reservedBytes : heldBytes;
    return bytes <= capacity - taken;
  }

  private void lose(Loss loss, long count) {
    if (count != 0) {
      losses.merge(loss, count, (a, b) -> a + b == 0 ? null : a + b);
    }
  }

  /** A consistent reading of the counters; those not yet written make up the difference. */
  public Counters counters() {
    return status().counters();
  }

  /** A consistent reading of everything. */
  public CaptureStatus status() {
    long whilePaused = refusedPaused.sum();
    long whileOff = refusedOff.sum();
    long chosen = sampled.sum();
    lock.lock();
    try {
      Map<Loss, Long> all = new EnumMap<>(losses);
      add(all, Loss.PAUSED, whilePaused);
      add(all, Loss.SWITCHED_OFF, whileOff);
      long dropped = sum(all, Loss.Kind.DROPPED);
      long failed = sum(all, Loss.Kind.FAILED);
      return new CaptureStatus(
          chosen == 0 && fired == 0 && !closing ? CaptureStatus.State.IDLE : state(),
          off ? "out of memory" : pauseReason,
          new Counters(fired + whilePaused + whileOff, written, dropped, failed),
          all,
          chosen,
          skipped.sum(),
          writtenBytes,
          heldBytes,
          highWater,
          capacity,
          waiting.size() + (current == null ? 0 : 1) + flying.size(),
          requestTime.snapshot());
    } finally {
      lock.unlock();
    }
  }

  private CaptureStatus.State state() {
    if (closing) {
      return CaptureStatus.State.CLOSED;
    }
    if (off) {
      return CaptureStatus.State.OFF;
    }
    return paused ? CaptureStatus.State.PAUSED : CaptureStatus.State.RECORDING;
  }

  private static void add(Map<Loss, Long> all, Loss loss, long count) {
    if (count > 0) {
      all.merge(loss, count, Long::sum);
    }
  }

  private static long sum(Map<Loss, Long> losses, Loss.Kind kind) {
    return losses.entrySet().stream()
        .filter(loss -> loss.getKey().kind() == kind)
        .mapToLong(Map.Entry::getValue)
        .sum();
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

  /** Closes within {@code limits.close}; see {@link #close(Duration)}. */
  @Override
  public void close() {
    close(limits.close());
  }

  /**
   * Accepts no more captures, writes the waiting ones and closes the sink. Captures that wait
   * longer than {@code timeout} are dropped; a hanging write is abandoned, and its capture counts
   * as failed. Idempotent.
   *
   * @return whether the sink was closed in time; the counters add up in any case
   */
  public boolean close(Duration timeout) {
    List<Item> late = new ArrayList<>();
    boolean interrupted = false;
    boolean closed;
    lock.lock();
    try {
      if (!closing) {
        landBy = System.nanoTime() + timeout.toNanos() / 10 * 9;
      }
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
      lose(Loss.NOT_IN_TIME, late.size());
      late.forEach(this::release);
      giveUp(current, Loss.HANGING);
      flying.forEach(item -> giveUp(item, Loss.UNACKNOWLEDGED));
    } finally {
      lock.unlock();
    }
    late.forEach(item -> discard(item.pending));
    forgetShutdownHook();
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    return closed;
  }

  /**
   * Counts an item as lost without waiting for its outcome; if the outcome arrives later, the count
   * is corrected.
   */
  private void giveUp(@Nullable Item item, Loss loss) {
    if (item != null && item.givenUp == null) {
      item.givenUp = loss;
      lose(loss, 1);
    }
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
    beginning.run();
    boolean ended = false;
    while (!ended) {
      try {
        ended = step();
      } catch (Throwable e) {
        if (Memory.ranOut(e)) {
          switchOff();
        }
      }
      Thread.interrupted(); // else the next write would close its channel
    }
    closeSink();
  }

  /** Returns whether that was the last one. */
  private boolean step() {
    switch (nextStep()) {
      case FLUSH -> flushSink();
      case NOTE -> noteStatus();
      case WRITE -> write();
      case END -> {
        return true;
      }
    }
    return false;
  }

  private Step nextStep() {
    lock.lock();
    try {
      while (true) {
        long now = System.nanoTime();
        if (flushIsDue()) {
          return Step.FLUSH;
        }
        if (!closing && noteAt - now <= 0) {
          noteAt = now + NOTE_INTERVAL;
          return Step.NOTE;
        }
        boolean held = !closing && breaker.untilRetry(now) > 0;
        if (!held && current == null) {
          current = waiting.poll();
        }
        if (!held && current != null) {
          return Step.WRITE;
        }
        if (closing && (flying.isEmpty() || landBy - now <= 0)) {
          return Step.END;
        }
        awaitWork(now, held);
      }
    } finally {
      lock.unlock();
    }
  }

  private void awaitWork(long now, boolean held) {
    long nanos = (closing ? landBy : noteAt) - now;
    if (held) {
      nanos = Math.min(nanos, breaker.untilRetry(now));
    }
    try {
      work.awaitNanos(nanos);
    } catch (InterruptedException e) {
      // somebody interrupts all threads; this one ends when the queue is closed
    }
  }

  private boolean flushIsDue() {
    return flushWanted > flushDone && finished >= flushWanted;
  }

  private void write() {
    Item item = current;
    if (item == null) {
      return;
    }
    try {
      Capture made = item.made;
      if (made == null) {
        made = preparation.apply(item.pending.materialize());
        item.made = made;
      }
      sink.write(made, new Fate(item, made));
      leave(item);
      recovered();
    } catch (CaptureRefusedException e) {
      lose(item, Loss.REFUSED);
      reportLoss(Loss.REFUSED, item.bytes, e);
    } catch (IOException e) {
      sinkFailed(e);
    } catch (Throwable e) {
      lose(item, Loss.CAPTURE);
      if (Memory.ranOut(e)) {
        switchOff();
      } else {
        reportLoss(Loss.CAPTURE, item.bytes, e);
      }
    }
  }

  /** Receives the sink's outcome for one capture. */
  private final class Fate implements CaptureSink.Receipt {
    private final Item item;
    private final Capture capture;
    private final long bytes;
    private final long begin = System.nanoTime();

    Fate(Item item, Capture capture) {
      this.item = item;
      this.capture = capture;
      this.bytes = capture.tensorBytes();
    }

    @Override
    public void written() {
      long nanos = System.nanoTime() - begin;
      if (decide(null)) {
        observers.each(observer -> observer.written(capture, nanos));
      }
    }

    @Override
    public void refused(CaptureRefusedException why) {
      if (decide(Loss.REFUSED)) {
        reportLoss(Loss.REFUSED, item.bytes, why);
      }
    }

    /** False if it was decided before. */
    private boolean decide(@Nullable Loss loss) {
      lock.lock();
      try {
        if (item.decided) {
          return false;
        }
        item.decided = true;
        item.loss = loss;
        if (loss == null) {
          writtenBytes += bytes;
        }
        if (item.handedOver) {
          flying.remove(item);
          settle(item);
          work.signal();
        }
        return true;
      } finally {
        lock.unlock();
      }
    }
  }

  private void lose(Item item, Loss loss) {
    item.decided = true; // nobody else has it
    item.loss = loss;
    leave(item);
  }

  /** The writer is done with its item: it is settled, or in flight. */
  private void leave(Item item) {
    discard(item.pending);
    item.made = null;
    lock.lock();
    try {
      current = null;
      item.handedOver = true;
      if (item.decided) {
        settle(item);
      } else {
        flying.add(item);
        if (item.givenUp != null) {
          lose(item.givenUp, -1);
          item.givenUp = null;
          giveUp(item, Loss.UNACKNOWLEDGED);
        }
      }
      countGone();
    } finally {
      lock.unlock();
    }
  }

  private void settle(Item item) {
    if (item.givenUp != null) {
      lose(item.givenUp, -1);
    }
    if (item.loss == null) {
      written++;
    } else {
      lose(item.loss, 1);
    }
    release(item);
  }

  /** Captures that others have removed no longer count as written. */
  private void countGone() {
    long gone = sink.gone();
    written -= gone - knownGone;
    lose(Loss.REMOVED, gone - knownGone);
    knownGone = gone;
  }

  private void release(Item item) {
    heldBytes -= item.bytes;
    finished++;
    progress.signalAll();
  }

  private void sinkFailed(IOException cause) {
    List<Item> given = new ArrayList<>();
    lock.lock();
    try {
      breaker.failed(System.nanoTime());
      if (!paused) {
        refusedBefore = refusedPaused.sum();
      }
      paused = true;
      pauseReason = describe(cause);
      countGone();
      if (closing) { // there is no later attempt
        given.addAll(waiting);
        waiting.clear();
        if (current != null) {
          if (current.givenUp != null) {
            lose(current.givenUp, -1);
          }
          given.add(current);
          current = null;
        }
        lose(Loss.OUTPUT, given.size());
        given.forEach(this::release);
      }
    } finally {
      lock.unlock();
    }
    given.forEach(item -> discard(item.pending));
    if (isNew("output " + describe(cause))) {
      report(
          "captures cannot be written; it is tried again, and until then nothing is captured",
          cause);
    }
  }

  private void recovered() {
    Duration downtime;
    long refused;
    lock.lock();
    try {
      if (!breaker.isOpen()) {
        return;
      }
      downtime = breaker.closed(System.nanoTime());
      paused = false;
      pauseReason = null;
      refused = refusedPaused.sum() - refusedBefore;
    } finally {
      lock.unlock();
    }
    report(
        "captures are written again, after %d.%d s; %d requests were not captured meanwhile"
            .formatted(downtime.toSeconds(), downtime.toMillisPart() / 100, refused),
        null);
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

  private void noteStatus() {
    observers.each(CaptureObserver::tick);
    try {
      sink.note(status());
    } catch (Throwable e) {
      if (isNew("note " + describe(e))) {
        report("the counters could not be noted beside the captures", e);
      }
    }
  }

  private void closeSink() {
    lock.lock();
    try {
      flying.forEach(item -> giveUp(item, Loss.UNACKNOWLEDGED));
    } finally {
      lock.unlock();
    }
    try {
      sink.close(status());
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

  /** Logs once for each cause that captures are lost. */
  private void reportLoss(Loss loss, long bytes, @Nullable Throwable cause) {
    observers.each(observer -> observer.lost(loss));
    if (!isNew(loss + " " + (cause == null ? "" : describe(cause)))) {
      return;
    }
    if (loss.kind() == Loss.Kind.FAILED) {
      report("a capture was not recorded, further ones are only counted", cause);
      return;
    }
    String why =
        switch (loss) {
          case TOO_LARGE -> "it holds %d bytes, limits.queue is %d".formatted(bytes, capacity);
          case QUEUE_FULL -> "the queue of %d bytes is full (limits.queue)".formatted(capacity);
          case WAITED ->
              "the queue of %d bytes was full for %d ms (limits.maxWait)"
                  .formatted(capacity, limits.maxWait().toMillis());
          case INTERRUPTED -> "its thread was interrupted while the queue was full";
          default -> "the " + loss.reason();
        };
    report("a capture was dropped, further ones are only counted: " + why, null);
  }

  private static String describe(Throwable cause) {
    return cause.getClass().getName() + ": " + cause.getMessage();
  }

  /** Whether this cause, numbers aside, was not seen before. */
  private boolean isNew(String cause) {
    lock.lock();
    try {
      return reported.size() < CAUSES && reported.add(cause.replaceAll("\\d+", "N"));
    } finally {
      lock.unlock();
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
