package io.camhook.recording;

import org.jspecify.annotations.Nullable;

/**
 * A corrupt place in a recording.
 *
 * @param shard name of the file
 * @param offset byte of the file where it begins
 * @param id the affected capture, null if it is unknown
 * @param what what was expected and what was found
 */
public record Damage(String shard, long offset, @Nullable String id, String what) {
  static Damage of(String shard, ShardEntry entry, RecordingException problem) {
    return new Damage(shard, entry.offset(), entry.id(), String.valueOf(problem.getMessage()));
  }

  @Override
  public String toString() {
    return "%s at byte %d%s: %s".formatted(shard, offset, id == null ? "" : ", " + id, what);
  }
}
