package io.camhook.recording;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongConsumer;

/**
 * Reads every byte of a recording and lists what is not as it was written. One instance checks one
 * recording.
 */
public final class RecordingVerifier {
  private final Path directory;
  private final LongConsumer progress;
  private final List<Damage> damage = new ArrayList<>();
  private final Map<String, String> shardOfId = new HashMap<>();
  private long bytes;

  /**
   * The result.
   *
   * @param shards number of shards
   * @param captures number of intact captures
   * @param bytes bytes of all shards
   * @param damage what is wrong, in order; empty if nothing is
   */
  public record Verification(int shards, long captures, long bytes, List<Damage> damage) {
    public Verification {
      damage = List.copyOf(damage);
    }
  }

  private RecordingVerifier(Path directory, LongConsumer progress) {
    this.directory = directory;
    this.progress = progress;
  }

  /** Verifies the recording in {@code directory}, without telling how far it is. */
  public static Verification verify(Path directory) throws IOException {
    return verify(directory, done -> {});
  }

  /**
   * Verifies the recording in {@code directory}. One that is being written is checked as far as it
   * goes.
   *
   * @param progress is told the number of bytes checked so far
   * @throws RecordingException if there is no recording
   */
  public static Verification verify(Path directory, LongConsumer progress) throws IOException {
    return new RecordingVerifier(directory, progress).verify();
  }

  private Verification verify() throws IOException {
    Manifest manifest = Manifest.read(directory);
    boolean growing = RecordingLock.isHeld(directory);
    List<ShardFile> shards = ShardFile.list(directory);
    int expected = 1;
    for (ShardFile shard : shards) {
      for (; expected < shard.number(); expected++) {
        damage.add(new Damage(ShardFile.name(expected), 0, null, "the shard is missing"));
      }
      expected++;
      boolean last = shard == shards.get(shards.size() - 1);
      verify(shard.path(), growing && last);
    }
    if (!growing) {
      compareWithCounters(manifest);
    }
    return new Verification(shards.size(), shardOfId.size(), bytes, damage);
  }

  private void verify(Path file, boolean growing) throws IOException {
    try (ShardReader reader = new ShardReader(file, damage::add)) {
      for (ShardEntry entry = reader.next(); entry != null; entry = reader.next()) {
        try {
          reader.read(entry);
          String other = shardOfId.putIfAbsent(entry.id(), reader.shard());
          if (other != null) {
            throw RecordingException.at("capture", "a unique id", "the same id in " + other);
          }
        } catch (RecordingException e) {
          damage.add(Damage.of(reader.shard(), entry, e));
        }
        progress.accept(bytes + reader.position());
      }
      Damage tail = growing ? null : reader.tail();
      if (tail != null) {
        damage.add(tail);
      }
    }
    bytes += Files.size(file);
    progress.accept(bytes);
  }

  /** What every run says it wrote must be there; a run that was killed says nothing. */
  private void compareWithCounters(Manifest manifest) {
    long written = 0;
    for (Run run : manifest.runs()) {
      Counters counters = run.counters();
      if (counters == null) {
        return;
      }
      written += counters.written();
    }
    if (written != shardOfId.size()) {
      damage.add(
          new Damage(
              Manifest.FILE,
              0,
              null,
              "expected %d captures, as its counters say, found %d intact"
                  .formatted(written, shardOfId.size())));
    }
  }
}
