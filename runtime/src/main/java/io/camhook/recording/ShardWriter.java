package io.camhook.recording;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/*
 * The file is a complete tar archive at every moment, so that a reader may look at it while it grows
 * and a kill leaves nothing to repair. It always ends in the two zero blocks that end an archive. A new
 * entry is written after them:
 *
 *     ... last entry | 0 | 0 |                                        before
 *     ... last entry | 0 | 0 | rest of the blob, padding | 0 | 0 |    the archive still ends where it did
 *     ... last entry | header | first block | rest ...   | 0 | 0 |    one write of 1024 bytes commits
 *
 * The rest is one gathering write: tensors in native memory go to the file from where they lie. Their
 * checksum is in the blob's own header and therefore computed before.
 *
 * A new file gets its name when it has its two zero blocks.
 *
 * A writer that is killed before the last step leaves bytes after the end of the archive, which tar
 * ignores and which the next writer cuts off. A write that fails leaves them too: they are cut off at
 * once, or, if the disk does not even let that happen, before the next append.
 */
/** Appends captures to one tar file. Not thread-safe. */
final class ShardWriter implements Closeable {
  /** The name of a file that does not yet end as an archive does. */
  static final String TEMPORARY = "shard.tar.tmp";

  private static final int HEAD_BYTES = 2 * TarHeader.BLOCK;

  private final Path file;
  private final FileAccess access;
  private final @Nullable Object key;
  private FileChannel channel;

  /** Where the archive ends: its two zero blocks begin here. */
  private long end;

  /** Whether there may be something after {@link #end} other than the end of an archive. */
  private boolean torn;

  /** Tar header and first block of the blob, written last. */
  private final ByteBuffer head = ByteBuffer.allocate(HEAD_BYTES);

  private final GatheringWrite body;

  /**
   * @param now where the file is; it may get the name {@code file} later
   */
  private ShardWriter(
      Path file, Path now, FileAccess access, FileChannel channel, long end, GatheringWrite body)
      throws IOException {
    this.body = body;
    this.file = file;
    this.access = access;
    this.channel = channel;
    this.end = end;
    try {
      BasicFileAttributes attributes = FileAccess.attributes(now);
      this.key = attributes == null ? null : attributes.fileKey();
      terminate();
    } catch (Throwable e) {
      channel.close();
      throw e;
    }
  }

  /** Creates a file, which must not exist; if that fails, no file is left behind. */
  static ShardWriter create(Path file, FileAccess access, GatheringWrite body) throws IOException {
    Path temporary = file.resolveSibling(TEMPORARY);
    Files.deleteIfExists(temporary); // of a writer that was killed, or a link
    FileChannel channel =
        access.open(temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
    try {
      ShardWriter writer = new ShardWriter(file, temporary, access, channel, 0, body);
      Files.move(temporary, file);
      return writer;
    } catch (Throwable e) {
      try (channel) {
        Files.deleteIfExists(temporary);
      }
      throw e;
    }
  }

  /** Continues a file after {@code end}; what follows is cut off. */
  static ShardWriter open(Path file, FileAccess access, long end, GatheringWrite body)
      throws IOException {
    return new ShardWriter(
        file, file, access, access.open(file, StandardOpenOption.WRITE), end, body);
  }

  /** Ends the archive at {@link #end}. The zeros come first: they need no room on the disk. */
  private void terminate() throws IOException {
    torn = true;
    writeFully(ByteBuffer.allocate(TarHeader.END_BYTES), end);
    channel.truncate(end + TarHeader.END_BYTES);
    torn = false;
  }

  /** Bytes of all entries. */
  long size() {
    return end;
  }

  Path file() {
    return file;
  }

  /**
   * Whether a reader finds what was appended: the file is in its directory under its name, and as
   * long as it should be.
   */
  boolean isInPlace() {
    BasicFileAttributes now = FileAccess.attributes(file);
    return now != null
        && Objects.equals(now.fileKey(), key)
        && now.size() >= end + TarHeader.END_BYTES;
  }

  /** Appends one capture; if that fails, the archive ends where it did. */
  void append(Capture capture) throws IOException {
    if (!channel.isOpen()) { // an interrupt during a write closes the channel
      channel = access.open(file, StandardOpenOption.WRITE);
      torn = true;
    }
    if (channel.size() < end + TarHeader.END_BYTES) {
      throw new IOException(file + " was truncated while it was written");
    }
    if (torn) {
      terminate();
    }
    SafetensorsLayout blob = capture.layout(SafetensorsLayout.crc32c(capture.tensors()));
    String name = capture.id() + ShardEntry.SUFFIX;
    try {
      append(TarHeader.write(name, blob.size(), capture.time()), blob);
    } catch (Throwable e) {
      torn = true;
      try {
        terminate();
      } catch (IOException again) {
        e.addSuppressed(again);
      }
      throw e;
    }
    end = new ShardEntry(name, end, blob.size()).end();
  }

  private void append(byte[] tarHeader, SafetensorsLayout blob) throws IOException {
    byte[] header = blob.header().array();
    body.begin(channel, end + HEAD_BYTES);
    body.add(header, TarHeader.BLOCK, header.length - TarHeader.BLOCK);
    for (Tensor tensor : blob.tensors()) {
      body.add(tensor.bytes());
    }
    body.addZeros((int) (TarHeader.padded(blob.size()) - blob.size()) + TarHeader.END_BYTES);
    body.end();
    head.clear().put(tarHeader).put(header, 0, TarHeader.BLOCK);
    writeFully(head.flip(), end);
  }

  private void writeFully(ByteBuffer bytes, long at) throws IOException {
    long position = at;
    while (bytes.hasRemaining()) {
      position += channel.write(bytes, position);
    }
  }

  @Override
  public void close() throws IOException {
    try (FileChannel open = channel) {
      if (torn && open.isOpen()) {
        terminate();
      }
    }
  }
}
