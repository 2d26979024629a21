package io.camhook.recording;

import io.camhook.config.CamhookConfig.Output;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/*
 * A capture counts as written if a reader finds it now: its file must still be the one with that name in the
 * directory. This is checked after each append, because writing to a deleted file succeeds silently. If the
 * check fails, so does the append; what was written there is counted as gone, and the next append starts
 * afresh, in the same directory or in a new one.
 */
/**
 * Writes a recording: a directory of {@code manifest.json} and append-only tar shards {@code
 * captures-000001.tar} … whose entries {@code ID.safetensors} are captures.
 *
 * <p>When {@link #append} returns, the capture is in the directory and survives any end of this
 * process; only a power failure can destroy data that the operating system has not yet flushed to
 * the disk. At most the capture being written is lost, and the shard is always a valid archive.
 * After a failure the next append tries again, even if the disk was full or read-only, or the
 * directory was deleted. Thread-safe.
 */
public final class RecordingWriter implements Closeable {
  private static final Set<String> IGNORED =
      Set.of(RecordingLock.FILE, "manifest.json.tmp", ShardWriter.TEMPORARY, "stats.jsonl");

  private final Path directory;
  private final long shardBytes;
  private final FileAccess access;
  private final DiskRoom room;

  /** One for all shards: its native memory would else wait for the collector, one a shard. */
  private final GatheringWrite gathering = new GatheringWrite();

  private final List<Damage> recovered = new ArrayList<>();
  private Run run;
  private RecordingLock lock;
  private Manifest manifest = Manifest.empty();
  private @Nullable ShardWriter shard;
  private int number;

  /** {@link System#nanoTime} when the shard was begun. */
  private long shardBegun;

  /** Captures that this writer has written to the shard. */
  private long shardCaptures;

  /** Captures of this writer in shards that are closed. */
  private long closedCaptures;

  private long captures;
  private long rotated;
  private long gone;
  private boolean closed;

  private RecordingWriter(Path directory, Run run, Output output) throws IOException {
    this.directory = directory;
    this.run = run;
    this.access = new FileAccess(output.permissions());
    this.room = new DiskRoom(directory, output.disk());
    this.shardBytes = room.shardBytes(output.shardBytes());
    this.lock = begin();
  }

  /** Begins or continues a recording of unlimited size that only its owner can read. */
  public static RecordingWriter open(Path directory, Run run, long shardBytes) throws IOException {
    return open(directory, run, new Output(directory.toString(), shardBytes));
  }

  /**
   * Begins a recording in {@code directory}, which is created if it does not exist, or continues an
   * existing one after checking its last shard and cutting off a torn tail (see {@link
   * #recovered}).
   *
   * @param run this process
   * @param output size of the shards, permissions, and limits of the disk
   * @throws RecordingException if the directory holds anything else, or if a writer has it open
   */
  public static RecordingWriter open(Path directory, Run run, Output output) throws IOException {
    if (output.shardBytes() <= 0) {
      throw new IllegalArgumentException(
          "a shard needs at least 1 byte, found " + output.shardBytes());
    }
    return new RecordingWriter(directory, run, output);
  }

  /** Turns the directory into a recording written by this run; returns its lock. */
  private RecordingLock begin() throws IOException {
    if (Files.exists(directory) && !Files.isDirectory(directory)) {
      throw RecordingException.at(directory.toString(), "a directory for the recording", "a file");
    }
    access.createDirectories(directory);
    boolean begun = isRecording(directory);
    RecordingLock acquired = RecordingLock.acquire(directory, access);
    try {
      Manifest next = begun ? Manifest.read(directory) : Manifest.empty();
      for (ModelInfo model : manifest.models()) {
        next = next.with(model);
      }
      number = 0;
      if (begun) {
        continueLastShard(next);
      }
      update(next.with(run));
      return acquired;
    } catch (Throwable e) {
      ShardWriter opened = shard;
      shard = null;
      try (acquired;
          opened) {
        throw e;
      }
    }
  }

  /** False if {@code directory} is empty. */
  private static boolean isRecording(Path directory) throws IOException {
    if (Files.exists(directory.resolve(Manifest.FILE))) {
      return true;
    }
    Set<String> foreign = new TreeSet<>();
    try (Stream<Path> files = Files.list(directory)) {
      for (Path file : (Iterable<Path>) files::iterator) {
        String name = file.getFileName().toString();
        if (!IGNORED.contains(name)) {
          foreign.add(name);
        }
      }
    }
    if (!foreign.isEmpty()) {
      throw RecordingException.at(
          directory.toString(),
          "an empty directory or a recording",
          foreign.stream().limit(3).toList() + " and no " + Manifest.FILE);
    }
    return false;
  }

  private void continueLastShard(Manifest manifest) throws IOException {
    List<ShardFile> shards = ShardFile.list(directory);
    if (shards.isEmpty()) {
      number = manifest.firstShard() - 1;
      return;
    }
    ShardFile file = shards.get(shards.size() - 1);
    number = file.number();
    Path last = file.path();
    long end = 0;
    try (ShardReader reader = new ShardReader(last, recovered::add)) {
      for (ShardEntry entry = reader.next(); entry != null; entry = reader.next()) {
        try {
          reader.read(entry);
          end = entry.end();
        } catch (RecordingException e) {
          recovered.add(Damage.of(reader.shard(), entry, e));
        }
      }
      Damage tail = reader.tail();
      if (tail != null) {
        recovered.add(tail);
      }
    }
    use(ShardWriter.open(last, access, end, gathering));
  }

  private void use(ShardWriter opened) {
    shard = opened;
    shardCaptures = 0;
    shardBegun = System.nanoTime();
  }

  /**
   * The damage found when the recording was continued. Damage at the end of the last shard was cut
   * off; damage before intact captures was left in place.
   */
  public List<Damage> recovered() {
    return List.copyOf(recovered);
  }

  /** Captures appended by this writer. */
  public synchronized long captures() {
    return captures;
  }

  /**
   * Captures that {@link #append} wrote and that others have removed since, as far as this writer
   * noticed: together with the shard that it was writing, or with the whole directory.
   */
  public synchronized long gone() {
    return gone;
  }

  /** Captures that this writer deleted to stay within its limits. */
  public synchronized long rotated() {
    return rotated;
  }

  /** The directory. */
  public Path directory() {
    return directory;
  }

  /**
   * Appends one capture.
   *
   * @throws IOException if it could not be written: the recording is unchanged, and the next append
   *     tries again
   */
  public synchronized void append(Capture capture) throws IOException {
    if (closed) {
      throw new IOException("the recording in " + directory + " is closed");
    }
    if (shard == null && !lock.isInPlace()) {
      beginAgain();
    }
    ShardWriter current = shardWithRoom(capture.tensorBytes());
    try {
      current.append(capture);
    } catch (IOException e) {
      if (!current.isInPlace()) {
        leave(current);
      }
      throw e;
    }
    if (!current.isInPlace()) {
      leave(current);
      throw new IOException(
          "%s was removed or replaced while it was written".formatted(current.file()));
    }
    shardCaptures++;
    captures++;
  }

  /** Abandons a shard that a reader can no longer find completely. */
  private void leave(ShardWriter lost) throws IOException {
    shard = null;
    if (lock.isInPlace()) {
      long left = Math.min(intact(lost.file()), shardCaptures);
      gone += shardCaptures - left;
      closedCaptures += left;
    } else {
      gone += shardCaptures + closedCaptures;
      closedCaptures = 0;
    }
    shardCaptures = 0;
    room.closed(number);
    lost.close();
  }

  /** Captures that can be read from a shard that others have changed. */
  private static long intact(Path file) {
    long intact = 0;
    try (ShardReader reader = new ShardReader(file, ignored -> {})) {
      for (ShardEntry entry = reader.next(); entry != null; entry = reader.next()) {
        reader.read(entry);
        intact++;
      }
    } catch (IOException e) {
      return intact; // the rest cannot be read
    }
    return intact;
  }

  /** Somebody has removed or replaced the directory. */
  private void beginAgain() throws IOException {
    gone += closedCaptures;
    closedCaptures = 0;
    lock.close();
    room.moved();
    recovered.clear();
    lock = begin();
  }

  private ShardWriter shardWithRoom(long bytes) throws IOException {
    ShardWriter current = shard;
    if (current != null && (current.size() >= shardBytes || room.isOld(shardBegun))) {
      roll(current);
      current = null;
    }
    room.require(
        bytes,
        current == null ? 0 : current.size(),
        current == null ? -1 : number,
        this::deleteOldest);
    if (current != null) {
      return current;
    }
    List<ShardFile> shards = ShardFile.list(directory);
    int last = shards.isEmpty() ? 0 : shards.get(shards.size() - 1).number();
    int next = Math.max(Math.max(number, last) + 1, manifest.firstShard());
    ShardWriter created =
        ShardWriter.create(ShardFile.of(directory, next).path(), access, gathering);
    number = next;
    use(created);
    return created;
  }

  private void roll(ShardWriter done) throws IOException {
    shard = null;
    closedCaptures += shardCaptures;
    shardCaptures = 0;
    room.closed(number);
    done.close();
  }

  /** Deletes the closed shards up to {@code last}: their contents have been delivered. */
  synchronized void deleteThrough(int last) throws IOException {
    List<ShardFile> shards = ShardFile.list(directory);
    while (!shards.isEmpty() && shards.get(0).number() <= last && deleteOldest()) {
      shards = ShardFile.list(directory);
    }
  }

  /** Returns false if the oldest shard is the one being written, or if there is none. */
  private boolean deleteOldest() throws IOException {
    List<ShardFile> shards = ShardFile.list(directory);
    if (shards.isEmpty() || (shard != null && shards.get(0).number() == number)) {
      return false;
    }
    ShardFile oldest = shards.get(0);
    long inside = 0;
    try (ShardReader reader = new ShardReader(oldest.path(), ignored -> {})) {
      while (reader.next() != null) {
        inside++;
      }
    }
    // noted first, so that no shard is missing without being accounted for
    update(manifest.without(oldest.number(), inside));
    Files.deleteIfExists(oldest.path());
    room.deleted(oldest.number());
    rotated += inside;
    closedCaptures = Math.max(0, closedCaptures - inside);
    return true;
  }

  /** Notes a model and its module tree in the manifest; one noted before is replaced. */
  public synchronized void model(ModelInfo model) throws IOException {
    update(manifest.with(model));
  }

  /** Stores the current counters, and deletes captures that are too old. */
  public synchronized void note(Counters counters, Map<String, Long> losses) throws IOException {
    if (closed || !lock.isInPlace()) {
      return; // the next append sees to it
    }
    run = run.noted(counters, losses);
    update(manifest.withLast(run));
    if (shard != null && room.isOld(shardBegun) && shard.size() > 0) {
      roll(shard);
    }
    room.deleteAged(shard == null ? -1 : number, this::deleteOldest);
  }

  private void update(Manifest manifest) throws IOException {
    manifest.write(directory, access);
    this.manifest = manifest;
  }

  /** Closes the recording with counters that report every fired capture as written. */
  @Override
  public void close() throws IOException {
    close(new Counters(captures(), captures(), 0, 0), Map.of());
  }

  /**
   * Closes the recording and notes the final counters. Only the first close has an effect. Does not
   * wait for the disk, so that it does not delay the end of the process.
   */
  public synchronized void close(Counters counters, Map<String, Long> losses) throws IOException {
    if (closed) {
      return;
    }
    closed = true;
    try (RecordingLock held = lock) {
      if (shard != null) {
        shard.close();
      }
      if (held.isInPlace()) {
        update(manifest.withLast(manifest.lastRun().end(counters, losses)));
      }
    }
  }
}
