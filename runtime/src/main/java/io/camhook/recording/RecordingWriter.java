package io.camhook.recording;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Writes a recording: a directory of {@code manifest.json} and append-only tar shards {@code
 * captures-000001.tar} … whose entries {@code ID.safetensors} are captures.
 *
 * <p>When {@link #append} returns, the capture survives the end of this process, however it comes;
 * only a loss of power can take what the system has not yet brought to the disk. At most the
 * capture being written is lost, and the shard is a valid archive at any moment. Thread-safe.
 */
public final class RecordingWriter implements Closeable {
  private static final Set<String> IGNORED =
      Set.of(RecordingLock.FILE, "manifest.json.tmp", "stats.jsonl");

  private final Path directory;
  private final long shardBytes;
  private final RecordingLock lock;
  private final List<Damage> recovered = new ArrayList<>();
  private Manifest manifest;
  private @Nullable ShardWriter shard;
  private int number;
  private long captures;
  private boolean closed;

  private RecordingWriter(Path directory, long shardBytes, RecordingLock lock) {
    this.directory = directory;
    this.shardBytes = shardBytes;
    this.lock = lock;
    this.manifest = Manifest.empty();
  }

  /**
   * Begins a recording in {@code directory}, which is made if it does not exist, or continues the
   * one that is there: its last shard is checked, and a torn tail cut off (see {@link #recovered}).
   *
   * @param run this process
   * @param shardBytes size at which a shard is closed and the next begun
   * @throws RecordingException if the directory holds anything else, or if a writer has it open
   */
  public static RecordingWriter open(Path directory, Run run, long shardBytes) throws IOException {
    if (shardBytes <= 0) {
      throw new IllegalArgumentException("a shard needs at least 1 byte, found " + shardBytes);
    }
    if (Files.exists(directory) && !Files.isDirectory(directory)) {
      throw RecordingException.at(directory.toString(), "a directory for the recording", "a file");
    }
    Files.createDirectories(directory);
    boolean begun = isRecording(directory);
    RecordingLock lock = RecordingLock.acquire(directory);
    try {
      RecordingWriter writer = new RecordingWriter(directory, shardBytes, lock);
      if (begun) {
        writer.manifest = Manifest.read(directory);
        writer.continueLastShard();
      }
      writer.update(writer.manifest.with(run));
      return writer;
    } catch (Throwable e) {
      lock.close();
      throw e;
    }
  }

  /** False if {@code directory} is empty. */
  private static boolean isRecording(Path directory) throws IOException {
    if (Files.exists(directory.resolve(Manifest.FILE))) {
      return true;
    }
    try (Stream<Path> files = Files.list(directory)) {
      List<String> foreign =
          files
              .map(file -> file.getFileName().toString())
              .filter(name -> !IGNORED.contains(name))
              .sorted()
              .limit(3)
              .toList();
      if (!foreign.isEmpty()) {
        throw RecordingException.at(
            directory.toString(),
            "an empty directory or a recording",
            foreign + " and no " + Manifest.FILE);
      }
    }
    return false;
  }

  private void continueLastShard() throws IOException {
    List<ShardFile> shards = ShardFile.list(directory);
    if (shards.isEmpty()) {
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
    shard = ShardWriter.open(last, end);
  }

  /**
   * What was found damaged when the recording was continued. Damage at the end of the last shard
   * was cut off; damage before intact captures was left.
   */
  public List<Damage> recovered() {
    return List.copyOf(recovered);
  }

  /** Captures appended by this writer. */
  public synchronized long captures() {
    return captures;
  }

  /** The directory. */
  public Path directory() {
    return directory;
  }

  /**
   * Appends one capture.
   *
   * @throws IOException if it could not be written: the recording is as before, and the next append
   *     is tried afresh
   */
  public synchronized void append(Capture capture) throws IOException {
    ShardWriter current = shardWithRoom();
    current.append(capture);
    captures++;
  }

  private ShardWriter shardWithRoom() throws IOException {
    if (closed) {
      throw new IOException("the recording in " + directory + " is closed");
    }
    ShardWriter current = shard;
    if (current != null && (current.size() >= shardBytes || !current.isOpen())) {
      shard = null;
      current.close();
      current = null;
    }
    if (current == null) {
      current = ShardWriter.create(ShardFile.of(directory, number + 1).path());
      number++;
      shard = current;
    }
    return current;
  }

  /** Notes a model and its module tree in the manifest; one noted before is replaced. */
  public synchronized void model(ModelInfo model) throws IOException {
    update(manifest.with(model));
  }

  private void update(Manifest manifest) throws IOException {
    manifest.write(directory);
    this.manifest = manifest;
  }

  /** Closes the recording with counters that say that everything fired was written. */
  @Override
  public void close() throws IOException {
    close(new Counters(captures(), captures(), 0, 0));
  }

  /**
   * Closes the recording and notes the final counters. Only the first close counts. Does not wait
   * for the disk, so that no process is held up at its end.
   */
  public synchronized void close(Counters counters) throws IOException {
    if (closed) {
      return;
    }
    closed = true;
    try (lock) {
      if (shard != null) {
        shard.close();
      }
      List<Run> runs = manifest.runs();
      update(manifest.withLast(runs.get(runs.size() - 1).end(counters)));
    }
  }
}
