package io.camhook.recording;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Reads a recording in the order it was written, also while it is still being written. It reads one
 * capture at a time and keeps none. A damaged capture is skipped and reported by {@link #damage}.
 * Not thread-safe.
 *
 * <pre>{@code
 * try (RecordingReader reader = RecordingReader.open(directory)) {
 *   for (Capture capture = reader.next(); capture != null; capture = reader.next()) { … }
 * }
 * }</pre>
 */
public final class RecordingReader implements Closeable {
  private static final long POLL_MILLIS = 50;

  private final Path directory;
  private final List<Damage> damage = new ArrayList<>();
  private Manifest manifest;
  private final Map<String, Location> index = new LinkedHashMap<>();
  private @Nullable ShardReader shard;
  private int number;

  private record Location(Path shard, ShardEntry entry) {}

  private RecordingReader(Path directory, Manifest manifest) {
    this.directory = directory;
    this.manifest = manifest;
  }

  /**
   * Opens the recording in {@code directory}.
   *
   * @throws RecordingException if there is none
   */
  public static RecordingReader open(Path directory) throws IOException {
    return new RecordingReader(directory, Manifest.read(directory));
  }

  /** Whether a recording has been begun in {@code directory}. */
  public static boolean existsIn(Path directory) {
    return Files.exists(directory.resolve(Manifest.FILE));
  }

  /**
   * Opens the recording in {@code directory}, waiting until there is one.
   *
   * @param stop asked while waiting; true ends it
   * @return null if {@code stop} returned true
   */
  public static @Nullable RecordingReader await(Path directory, BooleanSupplier stop)
      throws IOException, InterruptedException {
    while (!stop.getAsBoolean()) {
      if (existsIn(directory)) {
        return open(directory);
      }
      Thread.sleep(POLL_MILLIS);
    }
    return null;
  }

  /** The manifest as last read by {@link #open} or {@link #isComplete}. */
  public Manifest manifest() {
    return manifest;
  }

  /** The manifest, read again if it does not have the capture's model yet. */
  public Manifest manifest(Capture capture) throws IOException {
    if (manifest.model(capture.model()).isEmpty()) {
      isComplete();
    }
    return manifest;
  }

  /** The directory. */
  public Path directory() {
    return directory;
  }

  /**
   * The next intact capture, or null at the end. While the recording grows, a later call may return
   * another one.
   */
  public @Nullable Capture next() throws IOException {
    while (true) {
      ShardReader current = shard;
      if (current == null) {
        current = openNext();
        if (current == null) {
          return null;
        }
      }
      ShardEntry entry = current.next();
      if (entry == null) {
        if (ShardFile.after(directory, number) == null) {
          return null;
        }
        // the next shard is begun when this one is done, so look once more before leaving it
        entry = current.next();
      }
      if (entry == null) {
        leave(current);
      } else {
        Capture capture = read(current, entry, damage::add);
        if (capture != null) {
          return capture;
        }
      }
    }
  }

  /**
   * Number of the shard that the last capture came from; earlier shards have been read completely.
   */
  int shardNumber() {
    return number;
  }

  private @Nullable ShardReader openNext() throws IOException {
    ShardFile file = ShardFile.after(directory, number);
    if (file == null) {
      return null;
    }
    number = file.number();
    try {
      shard = new ShardReader(file.path(), damage::add);
    } catch (NoSuchFileException e) {
      return openNext(); // deleted to stay within the disk limits
    }
    return shard;
  }

  private void leave(ShardReader done) throws IOException {
    Damage tail = done.tail();
    if (tail != null) {
      damage.add(tail);
    }
    done.close();
    shard = null;
  }

  private static @Nullable Capture read(
      ShardReader shard, ShardEntry entry, Consumer<Damage> damage) throws IOException {
    try {
      return shard.read(entry);
    } catch (RecordingException e) {
      damage.accept(Damage.of(shard.shard(), entry, e));
      return null;
    }
  }

  /**
   * The next capture, waiting for it while the recording is being written. If the directory is
   * removed and a new recording begun in it, that recording is read from its start.
   *
   * @param stop asked while waiting; true ends it
   * @param forever whether to wait for another writer after one has closed the recording
   * @return null if there are no more captures and the writer has closed the recording, or if
   *     {@code stop} returned true
   */
  public @Nullable Capture follow(BooleanSupplier stop, boolean forever)
      throws IOException, InterruptedException {
    while (true) {
      Capture capture = nextIfThere();
      if (capture != null) {
        return capture;
      }
      boolean complete = false;
      if (Files.exists(directory.resolve(Manifest.FILE))) {
        Instant begun = begun(manifest);
        complete = isComplete() && !forever;
        if (!begun.equals(begun(manifest))) {
          readAnew();
        }
      }
      capture = nextIfThere(); // what came before it was closed
      if (capture != null || complete || stop.getAsBoolean()) {
        return capture;
      }
      Thread.sleep(POLL_MILLIS);
    }
  }

  private @Nullable Capture nextIfThere() throws IOException {
    try {
      return next();
    } catch (NoSuchFileException e) {
      return null; // somebody has removed the directory; the writer makes it again
    }
  }

  private static Instant begun(Manifest manifest) {
    return manifest.runs().isEmpty() ? Instant.MIN : manifest.runs().get(0).started();
  }

  private void readAnew() throws IOException {
    ShardReader current = shard;
    shard = null;
    number = 0;
    if (current != null) {
      current.close();
    }
  }

  /** Reads the manifest again and tells whether the last writer has closed the recording. */
  public boolean isComplete() throws IOException {
    manifest = Manifest.read(directory);
    return manifest.isClosed();
  }

  /** The ids of all captures that exist now, in order; reads only the headers. */
  public List<String> ids() throws IOException {
    return List.copyOf(index().keySet());
  }

  /**
   * The capture {@code id}, at any position; {@link #next} is not affected.
   *
   * @return null if there is none
   * @throws RecordingException if it is damaged
   */
  public @Nullable Capture find(String id) throws IOException {
    Location location = index.get(id);
    if (location == null) {
      location = index().get(id);
    }
    if (location == null) {
      return null;
    }
    try (ShardReader reader = new ShardReader(location.shard(), ignored -> {})) {
      return reader.read(location.entry());
    } catch (RecordingException e) {
      String file = String.valueOf(location.shard().getFileName());
      throw new RecordingException(Damage.of(file, location.entry(), e).toString(), e);
    }
  }

  private Map<String, Location> index() throws IOException {
    index.clear();
    for (ShardFile file : ShardFile.list(directory)) {
      try (ShardReader reader = new ShardReader(file.path(), ignored -> {})) {
        for (ShardEntry entry = reader.next(); entry != null; entry = reader.next()) {
          index.put(entry.id(), new Location(file.path(), entry));
        }
      }
    }
    return index;
  }

  /**
   * The damage skipped so far, and the torn tail if the end was reached and no writer is active.
   */
  public List<Damage> damage() throws IOException {
    List<Damage> all = new ArrayList<>(damage);
    ShardReader current = shard;
    if (current != null && !RecordingLock.isHeld(directory)) {
      Damage tail = current.isAtEnd() ? current.tail() : null;
      if (tail != null) {
        all.add(tail);
      }
    }
    return all;
  }

  @Override
  public void close() throws IOException {
    if (shard != null) {
      shard.close();
    }
  }
}
