package io.camhook.recording;

import io.camhook.config.CamhookConfig.DiskLimits;
import io.camhook.config.CamhookConfig.Output;
import io.camhook.config.CamhookConfig.Permissions;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/*
 * Each process has a recording of its own in the spool's directory. What it appends there, another thread
 * takes from it, oldest first, and a shard is deleted when all that was in it has arrived. The recordings
 * that earlier processes have left behind come first. A recording whose captures have all arrived is
 * deleted when its process ends.
 *
 * Nothing is noted of what has arrived within a shard: if the process is killed, the next one sends the
 * captures of at most one shard a second time, and readers tell them by their ids.
 */
/**
 * A queue on disk: captures wait there, in order, until they have been delivered, also across
 * restarts of the process. One thread calls {@link #append} and {@link #endWriting}, others call
 * {@link #next} and {@link Waiting#arrived}.
 */
public final class Spool implements Closeable {
  private static final long LARGEST_SHARD = 16L << 20;
  private static final DateTimeFormatter NAME =
      DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss").withZone(ZoneOffset.UTC);

  private final Path directory;
  private final FileAccess access = new FileAccess(Permissions.OWNER);
  private final Consumer<String> log;
  private final RecordingWriter writer;
  private final Path own;

  /** Captures that earlier processes left behind, oldest first. */
  private final Deque<Path> left = new ArrayDeque<>();

  private @Nullable Source source;
  private volatile Source ownSource;

  /** Captures in the recording that {@link #ownSource} reads. */
  private volatile long appended;

  private long gone;

  /** Shards up to this one were deleted. */
  private int deleted;

  private boolean ended;

  /** A waiting capture. */
  public final class Waiting {
    private final Source source;
    private final int shard;
    private final Capture capture;

    private Waiting(Source source, int shard, Capture capture) {
      this.source = source;
      this.shard = shard;
      this.capture = capture;
    }

    public Capture capture() {
      return capture;
    }

    /** Types of the modules of its model, by path; empty if they are not known. */
    public Map<String, String> types() throws IOException {
      return source.types(capture.model());
    }

    /** The capture has arrived, or is lost for good. Thread-safe; call it once. */
    public void arrived() {
      source.arrived(shard);
    }
  }

  /** One recording that is being sent. */
  private static final class Source {
    final RecordingReader reader;
    final @Nullable RecordingLock lock;

    /** Captures in progress, by shard. */
    private final TreeMap<Integer, Integer> underWay = new TreeMap<>();

    private int reading = 1;
    private long taken;
    private long arrived;

    Source(RecordingReader reader, @Nullable RecordingLock lock) {
      this.reader = reader;
      this.lock = lock;
    }

    Map<String, String> types(String model) throws IOException {
      if (reader.manifest().model(model).isEmpty()) {
        reader.isComplete(); // reads it again
      }
      return reader.manifest().model(model).map(ModelInfo::types).orElse(Map.of());
    }

    synchronized void taken(int shard) {
      reading = shard;
      underWay.merge(shard, 1, Integer::sum);
      taken++;
    }

    synchronized void arrived(int shard) {
      underWay.computeIfPresent(shard, (s, count) -> count == 1 ? null : count - 1);
      arrived++;
    }

    synchronized boolean allArrived() {
      return underWay.isEmpty();
    }

    synchronized long arrived() {
      return arrived;
    }

    /** Number of the last shard of which everything has arrived. */
    synchronized int done() {
      return (underWay.isEmpty() ? reading : Math.min(reading, underWay.firstKey())) - 1;
    }

    void close() throws IOException {
      try {
        reader.close();
      } finally {
        if (lock != null) {
          lock.close();
        }
      }
    }
  }

  private Spool(Path directory, Run run, long bytes, Consumer<String> log) throws IOException {
    this.directory = directory;
    this.log = log;
    access.createDirectories(directory);
    left.addAll(recordings(directory));
    this.own = directory.resolve(NAME.format(run.started()) + "-" + run.pid());
    DiskLimits limits = new DiskLimits(bytes, DiskLimits.AUTO, null, DiskLimits.WhenFull.STOP);
    this.writer =
        RecordingWriter.open(
            own, run, new Output(own.toString(), LARGEST_SHARD, Permissions.OWNER, limits));
    left.remove(own);
    this.ownSource = new Source(RecordingReader.open(own), null);
  }

  /**
   * Opens the spool in {@code directory}, which is made if it does not exist.
   *
   * @param run this process
   * @param bytes most bytes that captures of this process may take there
   * @param log receives problems with captures that earlier processes left behind
   */
  public static Spool open(Path directory, Run run, long bytes, Consumer<String> log)
      throws IOException {
    return new Spool(directory, run, bytes, log);
  }

  private static List<Path> recordings(Path directory) throws IOException {
    try (Stream<Path> all = Files.list(directory)) {
      return new ArrayList<>(
          all.filter(each -> Files.exists(each.resolve(Manifest.FILE))).sorted().toList());
    }
  }

  /** Where captures of this process wait. */
  public Path directory() {
    return own;
  }

  /** Recordings of earlier processes that are still to be sent. */
  public synchronized int leftBehind() {
    return left.size();
  }

  /**
   * Appends a capture.
   *
   * @return false if the spool is full: to be tried again when others have arrived
   * @throws IOException if the disk does not work: to be tried again
   */
  public boolean append(Capture capture) throws IOException {
    deleteArrived();
    try {
      writer.append(capture);
    } catch (DiskRoom.BoundReachedException e) {
      return false;
    }
    long removed = writer.gone();
    if (removed != gone) { // the writer began a new recording under the same name
      gone = removed;
      appended = 0;
      deleted = 0;
      ownSource = new Source(RecordingReader.open(own), null);
    }
    appended++;
    return true;
  }

  private void deleteArrived() throws IOException {
    int done = ownSource.done();
    if (done > deleted) {
      writer.deleteThrough(done);
      deleted = done;
    }
  }

  /** Captures of this process that have not arrived yet. */
  public long waiting() {
    return Math.max(0, appended - ownSource.arrived());
  }

  /** Notes the counters beside the captures. */
  public void note(Counters counters, Map<String, Long> losses) throws IOException {
    deleteArrived();
    writer.note(counters, losses);
  }

  /** Captures that others have removed; see {@link RecordingWriter#gone}. */
  public long gone() {
    return writer.gone();
  }

  /** Notes a model. */
  public void model(ModelInfo model) throws IOException {
    writer.model(model);
  }

  /** Nothing more is appended. */
  public synchronized void endWriting(Counters counters, Map<String, Long> losses)
      throws IOException {
    ended = true;
    writer.close(counters, losses);
  }

  /**
   * The oldest capture that has not been returned before.
   *
   * @return null if there is none for now
   */
  public synchronized @Nullable Waiting next() throws IOException {
    while (true) {
      Source current = source;
      if (current == null || (current.lock == null && current != ownSource)) {
        current = nextSource();
        source = current;
      }
      Capture capture = current.reader.next();
      if (capture != null) {
        int shard = current.reader.shardNumber();
        current.taken(shard);
        return new Waiting(current, shard, capture);
      }
      if (current == ownSource) {
        return null;
      }
      if (!current.allArrived()) {
        return null; // the order is kept, and the recording is deleted before the next is begun
      }
      finish(current);
      source = null;
    }
  }

  private Source nextSource() throws IOException {
    for (Path next = left.poll(); next != null; next = left.poll()) {
      RecordingLock lock;
      try {
        lock = RecordingLock.acquire(next, access);
      } catch (RecordingException e) {
        continue; // a running process, or another one that sends it
      }
      try {
        return new Source(RecordingReader.open(next), lock);
      } catch (RecordingException e) {
        lock.close(); // another process has sent and deleted it meanwhile, or it is not a recording
      }
    }
    return ownSource;
  }

  /** All of an earlier process's captures have arrived. */
  private void finish(Source sent) throws IOException {
    Path from = sent.reader.directory();
    List<Damage> damage =
        new ArrayList<>(sent.reader.damage()); // its lock is held, and the torn tail does not count
    sent.close();
    if (damage.isEmpty()) {
      delete(from);
      return;
    }
    Path damaged = directory.resolve("damaged");
    access.createDirectories(damaged);
    Path kept = damaged.resolve(from.getFileName());
    Files.move(from, kept);
    log.accept(
        "%d captures that an earlier process left behind are damaged and were not sent; they are kept in %s: %s"
            .formatted(damage.size(), kept, damage.get(0)));
  }

  private static void delete(Path recording) throws IOException {
    List<Path> files;
    try (Stream<Path> all = Files.list(recording)) {
      files = all.toList();
    }
    // the manifest goes last: without it, the rest does not count as a recording
    for (Path file : files) {
      if (!file.endsWith(Manifest.FILE)) {
        Files.deleteIfExists(file);
      }
    }
    Files.deleteIfExists(recording.resolve(Manifest.FILE));
    Files.deleteIfExists(recording);
  }

  /**
   * Ends sending. If all captures of this process have arrived, no file remains; otherwise they
   * wait for the next process.
   */
  @Override
  public synchronized void close() throws IOException {
    Source unfinished = source;
    if (unfinished != null && unfinished != ownSource) {
      unfinished.close();
    }
    ownSource.close();
    if (ended && waiting() == 0 && writer.gone() == 0) {
      delete(own);
    }
  }
}
