package io.camhook.recording;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/** Reads every byte of a recording and lists the damage. One instance checks one recording. */
public final class RecordingVerifier {
  private final Path directory;
  private final LongConsumer progress;
  private final List<Damage> damage = new ArrayList<>();
  private final Map<String, String> shardOfId = new HashMap<>();
  private long bytes;
  private @Nullable Damage cut;

  /**
   * The result.
   *
   * @param shards number of shards
   * @param captures number of intact captures
   * @param bytes bytes of all shards
   * @param damage the damage, in order; empty if there is none
   * @param cut the tail of a killed run, that is the incomplete capture it was writing; it contains
   *     no complete capture; null if there is none
   */
  public record Verification(
      int shards, long captures, long bytes, List<Damage> damage, @Nullable Damage cut) {
    public Verification {
      damage = List.copyOf(damage);
    }
  }

  private RecordingVerifier(Path directory, LongConsumer progress) {
    this.directory = directory;
    this.progress = progress;
  }

  /** Verifies the recording in {@code directory}, without reporting progress. */
  public static Verification verify(Path directory) throws IOException {
    return verify(directory, done -> {});
  }

  /**
   * Verifies the recording in {@code directory}. A recording that is still being written is checked
   * up to its current end.
   *
   * @param progress receives the number of bytes checked so far
   * @throws RecordingException if there is no recording
   */
  public static Verification verify(Path directory, LongConsumer progress) throws IOException {
    return new RecordingVerifier(directory, progress).verify();
  }

  private Verification verify() throws IOException {
    Manifest manifest = Manifest.read(directory);
    boolean growing = RecordingLock.isHeld(directory);
    List<ShardFile> shards = ShardFile.list(directory);
    int expected = manifest.firstShard();
    for (ShardFile shard : shards) {
      for (; expected < shard.number(); expected++) {
        damage.add(new Damage(ShardFile.name(expected), 0, null, "the shard is missing"));
      }
      expected++;
      boolean last = shard == shards.get(shards.size() - 1);
      Damage tail = verifyShard(shard.path());
      if (tail != null && last && !manifest.isClosed()) {
        cut = growing ? null : tail;
      } else if (tail != null) {
        damage.add(tail);
      }
    }
    if (!growing) {
      compareWithCounters(manifest);
    }
    return new Verification(shards.size(), shardOfId.size(), bytes, damage, cut);
  }

  /** Returns the damage at the shard's end. */
  private @Nullable Damage verifyShard(Path file) throws IOException {
    Damage tail;
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
      tail = reader.tail();
    }
    bytes += Files.size(file);
    progress.accept(bytes);
    return tail;
  }

  /**
   * All captures that a run counted as written must exist, except those deleted to stay within
   * limits. A killed run has written at least the number that it noted last.
   */
  private void compareWithCounters(Manifest manifest) {
    long written = -manifest.removedCaptures();
    boolean exact = true;
    for (Run run : manifest.runs()) {
      Counters counters = run.counters();
      written += counters == null ? 0 : counters.written();
      exact &= counters != null && run.ended() != null;
    }
    long found = shardOfId.size();
    if (found < written || (exact && found > written)) {
      damage.add(
          new Damage(
              Manifest.FILE,
              0,
              null,
              "expected %s%d captures, as its counters say, found %d intact"
                  .formatted(exact ? "" : "at least ", written, found)));
    }
  }
}
