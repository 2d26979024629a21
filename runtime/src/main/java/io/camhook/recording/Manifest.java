package io.camhook.recording;

import com.fasterxml.jackson.core.JsonProcessingException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * {@code manifest.json}: the models and runs of a recording. It is replaced atomically, so a reader
 * sees either the old or the new one.
 *
 * @param formatVersion version of the recording format
 * @param models the captured models, each with its module tree
 * @param runs the processes that wrote to it, oldest first
 * @param removed what the writers deleted to stay within their limits; null if nothing
 */
public record Manifest(
    int formatVersion, List<ModelInfo> models, List<Run> runs, @Nullable Removed removed) {
  /** Version that this code writes and reads. */
  public static final int FORMAT_VERSION = 1;

  static final String FILE = "manifest.json";
  private static final String TEMPORARY = "manifest.json.tmp";

  /**
   * The oldest shards, which were deleted.
   *
   * @param shards number of the last one
   * @param captures captures in all of them
   */
  public record Removed(int shards, long captures) {}

  public Manifest {
    models = models == null ? List.of() : List.copyOf(models);
    runs = runs == null ? List.of() : List.copyOf(runs);
  }

  /** The model that captures call {@code name}. */
  public Optional<ModelInfo> model(String name) {
    return models.stream().filter(model -> model.name().equals(name)).findFirst();
  }

  /** Whether the last run closed the recording; false while it is written or if it was killed. */
  public boolean isClosed() {
    return !runs.isEmpty() && runs.get(runs.size() - 1).ended() != null;
  }

  static Manifest empty() {
    return new Manifest(FORMAT_VERSION, List.of(), List.of(), null);
  }

  /** A copy with {@code model} added, or replacing the model of that name. */
  Manifest with(ModelInfo model) {
    List<ModelInfo> all = new ArrayList<>(models);
    all.removeIf(other -> other.name().equals(model.name()));
    all.add(model);
    return new Manifest(formatVersion, all, runs, removed);
  }

  Manifest with(Run run) {
    List<Run> all = new ArrayList<>(runs);
    all.add(run);
    return new Manifest(formatVersion, models, all, removed);
  }

  Manifest withLast(Run run) {
    return new Manifest(formatVersion, models, runs.subList(0, runs.size() - 1), removed).with(run);
  }

  Run lastRun() {
    return runs.get(runs.size() - 1);
  }

  /** After the shards up to {@code shards} were deleted, with {@code captures} in them. */
  Manifest without(int shards, long captures) {
    return new Manifest(
        formatVersion, models, runs, new Removed(shards, removedCaptures() + captures));
  }

  long removedCaptures() {
    return removed == null ? 0 : removed.captures();
  }

  /** Number of the first shard that should be there. */
  int firstShard() {
    return removed == null ? 1 : removed.shards() + 1;
  }

  /**
   * Reads the manifest of the recording in {@code directory}.
   *
   * @throws RecordingException if it is not a recording, or has another version
   */
  static Manifest read(Path directory) throws IOException {
    Path file = directory.resolve(FILE);
    if (!Files.isDirectory(directory)) {
      throw RecordingException.at(
          directory.toString(),
          "the directory of a recording",
          Files.exists(directory) ? "a file" : "nothing of that name");
    }
    Manifest manifest;
    try {
      manifest = RecordingJsonReader.MAPPER.readValue(Files.readAllBytes(file), Manifest.class);
    } catch (NoSuchFileException e) {
      throw RecordingException.at(
          directory.toString(), "a recording with " + FILE, "a directory without it");
    } catch (JsonProcessingException e) {
      String line = e.getLocation() == null ? "" : ":" + e.getLocation().getLineNr();
      throw new RecordingException(
          file + line + ": expected a recording's manifest: " + e.getOriginalMessage(), e);
    }
    if (manifest == null || manifest.formatVersion() != FORMAT_VERSION) {
      throw RecordingException.at(
          file.toString(),
          "format version " + FORMAT_VERSION,
          manifest == null ? "nothing" : manifest.formatVersion());
    }
    return manifest;
  }

  void write(Path directory, FileAccess access) throws IOException {
    Path temporary = directory.resolve(TEMPORARY);
    ByteBuffer json = ByteBuffer.wrap(RecordingJsonWriter.manifest(this));
    Files.deleteIfExists(
        temporary); // of a writer that was killed, or a link that someone put there
    try (FileChannel channel =
        access.open(temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      while (json.hasRemaining()) {
        channel.write(json);
      }
      channel.force(true);
    }
    Files.move(
        temporary,
        directory.resolve(FILE),
        StandardCopyOption.ATOMIC_MOVE,
        StandardCopyOption.REPLACE_EXISTING);
  }
}
