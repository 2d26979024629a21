package io.camhook.recording;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Walks the entries of one shard, also while it grows: at the end of the archive {@link #next}
 * returns null, but a later call may return more. If the chain of headers is broken, it continues
 * at the next header and reports the gap. Not thread-safe.
 */
final class ShardReader implements Closeable {
  private final FileChannel channel;
  private final String shard;
  private final Consumer<Damage> damage;
  private final byte[] block = new byte[TarHeader.BLOCK];
  private long position;

  /**
   * @param damage receives every gap
   */
  ShardReader(Path file, Consumer<Damage> damage) throws IOException {
    this.channel = FileChannel.open(file, StandardOpenOption.READ);
    this.shard = file.getFileName().toString();
    this.damage = damage;
  }

  String shard() {
    return shard;
  }

  /** Bytes walked so far. */
  long position() {
    return position;
  }

  /** Whether there is no complete entry at the expected place. */
  boolean isAtEnd() throws IOException {
    return entryAt(position) == null;
  }

  /** The next capture's entry, or null if the archive ends here for now. */
  @Nullable ShardEntry next() throws IOException {
    while (true) {
      ShardEntry entry = entryAt(position);
      if (entry == null) {
        long at = resume();
        if (at < 0) {
          return null;
        }
        position = at;
        continue;
      }
      position = entry.end();
      if (entry.name().endsWith(ShardEntry.SUFFIX)) {
        return entry;
      }
    }
  }

  /** The complete entry at {@code offset}, or null if there is none. */
  private @Nullable ShardEntry entryAt(long offset) throws IOException {
    if (!readBlock(offset) || TarHeader.isEnd(block)) {
      return null;
    }
    try {
      TarHeader header = TarHeader.read(block, shard);
      ShardEntry entry =
          new ShardEntry(header.type() == '0' ? header.name() : "", offset, header.size());
      return entry.size() <= channel.size() - entry.dataOffset() ? entry : null;
    } catch (RecordingException e) {
      return null;
    }
  }

  /**
   * Looks for an entry after the end of the chain and reports what is skipped.
   *
   * @return its offset, or -1 if there is none
   */
  private long resume() throws IOException {
    long end = position;
    for (long offset = end + TarHeader.BLOCK; offset < channel.size(); offset += TarHeader.BLOCK) {
      ShardEntry entry = entryAt(offset);
      if (entry != null && entry.name().endsWith(ShardEntry.SUFFIX)) {
        if (entryAt(end) != null) {
          return end; // written in the meantime: entries are committed in order
        }
        damage.accept(
            new Damage(shard, end, null, "expected a tar entry, found the next one at " + offset));
        return offset;
      }
    }
    return -1;
  }

  /**
   * The damage at the end of the file, given that {@link #next} returned null.
   *
   * @return null if the archive ends correctly
   */
  @Nullable Damage tail() throws IOException {
    long rest = channel.size() - position;
    if (rest <= 0) {
      return null;
    }
    if (!readBlock(position) || !TarHeader.isEnd(block)) {
      return new Damage(
          shard, position, null, "expected a whole entry, found " + rest + " bytes of one");
    }
    ByteBuffer bytes = ByteBuffer.allocate(SafetensorsLayout.CHUNK_BYTES);
    for (long at = position; channel.read(bytes.clear(), at) > 0; at += bytes.limit()) {
      bytes.flip();
      while (bytes.hasRemaining()) {
        if (bytes.get() != 0) {
          return new Damage(
              shard,
              position,
              null,
              "the archive ends here, found %d bytes of a capture that was being written"
                  .formatted(rest));
        }
      }
    }
    return null;
  }

  /** Reads the capture of an entry into the heap and checks its CRC and id. */
  Capture read(ShardEntry entry) throws IOException {
    String where = "capture";
    Capture capture =
        Capture.of(Safetensors.read(channel, entry.dataOffset(), entry.size(), where), where);
    if (!capture.id().equals(entry.id())) {
      throw RecordingException.at(where, "the id of its tar entry", capture.id());
    }
    return capture;
  }

  private boolean readBlock(long offset) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(block);
    while (bytes.hasRemaining()) {
      if (channel.read(bytes, offset + bytes.position()) < 0) {
        return false;
      }
    }
    return true;
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
