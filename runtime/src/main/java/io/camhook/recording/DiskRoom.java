package io.camhook.recording;

import io.camhook.config.CamhookConfig.DiskLimits;
import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Keeps a recording within its limits: the total size of its shards, the free space left on the
 * disk, the age of its captures. Not thread-safe.
 */
final class DiskRoom {
  private static final long FREE_AT_MOST = 1L << 30;
  private static final long FREE_SHARE = 50;

  /**
   * A shard takes at most this share of the limit, which bounds the loss when the oldest one is
   * deleted.
   */
  private static final int SHARDS_IN_BOUND = 8;

  private final Path directory;
  private final DiskLimits limits;

  /**
   * Ages are measured with a clock that cannot be adjusted: elapsed time for shards written by this
   * process, otherwise the start time plus elapsed time.
   */
  private final Instant startTime = Instant.now();

  private final long startNanos = System.nanoTime();
  private @Nullable FileStore store;
  private long minFree;
  private long closedBytes = -1;

  /** When this process closed a shard, by its number. */
  private final Map<Integer, Long> closedAt = new HashMap<>();

  /** The shards have reached their size limit. */
  static final class BoundReachedException extends IOException {
    private static final long serialVersionUID = 1L;

    BoundReachedException(String message) {
      super(message);
    }
  }

  /** Deletes the oldest shard; false if there is none but the one being written. */
  @FunctionalInterface
  interface Rotation {
    boolean deleteOldest() throws IOException;
  }

  DiskRoom(Path directory, DiskLimits limits) {
    this.directory = directory;
    this.limits = limits;
  }

  /** Size at which a shard is closed, so that there are several within the bound. */
  long shardBytes(long wanted) {
    return Math.max(1, Math.min(wanted, limits.maxBytes() / SHARDS_IN_BOUND));
  }

  /** A shard is no longer written. */
  void closed(int number) {
    closedAt.put(number, System.nanoTime());
    closedBytes = -1;
  }

  /** A shard was deleted. */
  void deleted(int number) {
    closedAt.remove(number);
    closedBytes = -1;
  }

  /** The directory is another one than before. */
  void moved() {
    closedAt.clear();
    closedBytes = -1;
    store = null;
  }

  /**
   * Makes sure that {@code bytes} more can be written.
   *
   * @param current bytes of the shard that is being written
   * @param currentNumber its number
   * @throws IOException if there is no room for them
   */
  void require(long bytes, long current, int currentNumber, Rotation rotation) throws IOException {
    if (limits.maxBytes() != Long.MAX_VALUE) {
      while (closedBytes(currentNumber) + current + bytes > limits.maxBytes()) {
        closedBytes = -1; // others may have deleted shards
        if (closedBytes(currentNumber) + current + bytes > limits.maxBytes()
            && !deleteOldest(rotation)) {
          throw new BoundReachedException(
              "the recording has %d bytes, limits.disk is %d"
                  .formatted(closedBytes(currentNumber) + current, limits.maxBytes()));
        }
      }
    }
    if (limits.minFree() != 0) {
      while (free() - bytes < minFree) {
        if (!deleteOldest(rotation)) {
          throw new IOException(
              "the disk has %d bytes left, limits.diskFree keeps %d free"
                  .formatted(free(), minFree));
        }
      }
    }
  }

  private boolean deleteOldest(Rotation rotation) throws IOException {
    return limits.whenFull() == DiskLimits.WhenFull.ROTATE && rotation.deleteOldest();
  }

  private long closedBytes(int currentNumber) throws IOException {
    if (closedBytes < 0) {
      closedBytes =
          ShardFile.list(directory).stream()
              .filter(shard -> shard.number() != currentNumber)
              .mapToLong(ShardFile::size)
              .sum();
    }
    return closedBytes;
  }

  private long free() throws IOException {
    FileStore open = store;
    if (open == null) {
      open = Files.getFileStore(directory);
      store = open;
      minFree =
          limits.minFree() == DiskLimits.AUTO
              ? Math.min(FREE_AT_MOST, open.getTotalSpace() / FREE_SHARE)
              : limits.minFree();
    }
    return open.getUsableSpace();
  }

  /** Whether a shard that was begun at {@code nanoTime} has grown old enough to be closed. */
  boolean isOld(long nanoTime) {
    Duration age = limits.maxAge();
    return age != null && System.nanoTime() - nanoTime > age.toNanos() / SHARDS_IN_BOUND;
  }

  /** Deletes the shards whose last capture is older than the limit. */
  void deleteAged(int currentNumber, Rotation rotation) throws IOException {
    Duration age = limits.maxAge();
    if (age == null) {
      return;
    }
    for (ShardFile shard : ShardFile.list(directory)) {
      if (shard.number() == currentNumber
          || age(shard).compareTo(age) <= 0
          || !rotation.deleteOldest()) {
        return;
      }
    }
  }

  private Duration age(ShardFile shard) {
    Long closed = closedAt.get(shard.number());
    if (closed != null) {
      return Duration.ofNanos(System.nanoTime() - closed);
    }
    BasicFileAttributes attributes = FileAccess.attributes(shard.path());
    return attributes == null
        ? Duration.ZERO
        : Duration.between(
            attributes.lastModifiedTime().toInstant(),
            startTime.plusNanos(System.nanoTime() - startNanos));
  }
}
