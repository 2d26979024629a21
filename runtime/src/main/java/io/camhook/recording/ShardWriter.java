package io.camhook.recording;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/*
 * The file is a complete tar archive at every moment, so that a reader may look at it while it grows
 * and a kill leaves nothing to repair. It always ends in the two zero blocks that end an archive. A new
 * entry is written behind their back:
 *
 *     ... last entry | 0 | 0 |                                        before
 *     ... last entry | 0 | 0 | rest of the blob, padding | 0 | 0 |    the archive still ends where it did
 *     ... last entry | header | first block | rest ...   | 0 | 0 |    one write of 1024 bytes commits
 *
 * The rest is written tensors first, then what the blob's own header (whole blocks, of which the first
 * is held back) has left, because that holds the tensors' checksum: each byte is then read once.
 *
 * A writer that is killed before the last step leaves bytes behind the end of the archive, which tar
 * ignores and which the next writer cuts off.
 */
/** Appends captures to one tar file. Not thread-safe. */
final class ShardWriter implements Closeable {
  private static final int HEAD_BYTES = 2 * TarHeader.BLOCK;
  private static final int COLLECT_BYTES = 1 << 18;

  private static final byte[] ZEROS = new byte[TarHeader.END_BYTES];

  private final FileChannel channel;

  /** Where the archive ends: its two zero blocks begin here. */
  private long end;

  /** Tar header and first block of the blob, written last. */
  private final ByteBuffer head = ByteBuffer.allocateDirect(HEAD_BYTES);

  /** Collects what goes to the file in one write; the JDK would copy heap buffers anyway. */
  private final ByteBuffer collected = ByteBuffer.allocateDirect(COLLECT_BYTES);

  private long position;

  private ShardWriter(FileChannel channel, long end) {
    this.channel = channel;
    this.end = end;
  }

  /** Begins a file, which must not exist. */
  static ShardWriter create(Path file) throws IOException {
    FileChannel channel =
        FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
    return new ShardWriter(channel, 0).terminated();
  }

  /** Continues a file after {@code end}; what follows is cut off. */
  static ShardWriter open(Path file, long end) throws IOException {
    return new ShardWriter(FileChannel.open(file, StandardOpenOption.WRITE), end).terminated();
  }

  private ShardWriter terminated() throws IOException {
    try {
      channel.truncate(end);
      position = end;
      collected.clear();
      writeZeros(TarHeader.END_BYTES);
      writeCollected();
      return this;
    } catch (IOException e) {
      channel.close();
      throw e;
    }
  }

  /** Bytes of all entries. */
  long size() {
    return end;
  }

  /**
   * Whether {@link #append} can still work; false once the channel was closed under this writer.
   */
  boolean isOpen() {
    return channel.isOpen();
  }

  /** Appends one capture; if that fails, the archive ends where it did. */
  void append(Capture capture) throws IOException {
    SafetensorsLayout blob = capture.layout(0);
    String name = capture.id() + ShardEntry.SUFFIX;
    try {
      append(TarHeader.write(name, blob.size(), capture.time()), blob);
    } catch (Throwable e) {
      rollBack(e);
      throw e;
    }
    end = new ShardEntry(name, end, blob.size()).end();
  }

  private void append(byte[] tarHeader, SafetensorsLayout blob) throws IOException {
    byte[] header = blob.header().array();
    position = end + TarHeader.BLOCK + header.length;
    collected.clear();
    int crc = blob.writeData(new Body());
    writeZeros((int) (TarHeader.padded(blob.size()) - blob.size()));
    writeZeros(TarHeader.END_BYTES);
    writeCollected();
    CaptureMetadata.seal(header, crc);
    int rest = header.length - TarHeader.BLOCK;
    writeFully(ByteBuffer.wrap(header, TarHeader.BLOCK, rest), end + HEAD_BYTES);
    head.clear().put(tarHeader).put(header, 0, TarHeader.BLOCK);
    writeFully(head.flip(), end);
  }

  private void rollBack(Throwable cause) {
    try {
      channel.truncate(end);
      terminated();
    } catch (IOException e) {
      cause.addSuppressed(e);
    }
  }

  private void writeZeros(int count) throws IOException {
    if (count > collected.remaining()) {
      writeCollected();
    }
    collected.put(ZEROS, 0, count);
  }

  private void writeCollected() throws IOException {
    collected.flip();
    int length = collected.limit();
    writeFully(collected, position);
    position += length;
    collected.clear();
  }

  private void writeFully(ByteBuffer bytes, long at) throws IOException {
    while (bytes.hasRemaining()) {
      at += channel.write(bytes, at);
    }
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }

  /** The file behind the end of the archive, at {@link #position}. */
  private final class Body implements WritableByteChannel {
    @Override
    public int write(ByteBuffer bytes) throws IOException {
      int length = bytes.remaining();
      int end = bytes.limit();
      while (bytes.position() < end) {
        if (!collected.hasRemaining()) {
          writeCollected();
        }
        bytes.limit(Math.min(end, bytes.position() + collected.remaining()));
        collected.put(bytes);
        bytes.limit(end);
      }
      return length;
    }

    @Override
    public boolean isOpen() {
      return channel.isOpen();
    }

    @Override
    public void close() {}
  }
}
