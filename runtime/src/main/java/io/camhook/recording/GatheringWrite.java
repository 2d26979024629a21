package io.camhook.recording;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/*
 * Large pieces of native memory are passed to the system directly. Small pieces, and data on the heap, are
 * first copied to a buffer in native memory. (The JDK would copy data on the heap anyway, to a buffer as large
 * as the largest piece.) When that buffer is full, everything gathered so far is written.
 */
/**
 * Writes many buffers to one position of a file with as few system calls as possible. Not
 * thread-safe.
 */
final class GatheringWrite {
  private static final int BUFFER_BYTES = 1 << 18;

  /** From this size on, copying a piece of native memory costs more than passing it on. */
  private static final int WORTH_A_PIECE = 1 << 13;

  private final ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER_BYTES);
  private final List<ByteBuffer> pieces = new ArrayList<>();
  private @Nullable FileChannel channel;
  private long position;

  /** Start in the buffer of copied bytes that are not yet a piece. */
  private int copied;

  void begin(FileChannel channel, long position) {
    this.channel = channel;
    this.position = position;
    pieces.clear();
    buffer.clear();
    copied = 0;
  }

  void add(byte[] bytes, int offset, int length) throws IOException {
    add(ByteBuffer.wrap(bytes, offset, length));
  }

  /** The bytes must not change until {@link #end}. */
  void add(ByteBuffer bytes) throws IOException {
    if (bytes.isDirect() && bytes.remaining() >= WORTH_A_PIECE) {
      closeCopied();
      pieces.add(bytes);
      return;
    }
    int end = bytes.limit();
    while (bytes.position() < end) {
      if (!buffer.hasRemaining()) {
        write();
      }
      bytes.limit(Math.min(end, bytes.position() + buffer.remaining()));
      buffer.put(bytes);
      bytes.limit(end);
    }
  }

  void addZeros(int count) throws IOException {
    add(new byte[count], 0, count);
  }

  /** Writes what is left. */
  void end() throws IOException {
    write();
    pieces.clear();
    channel = null;
  }

  private void closeCopied() {
    if (buffer.position() > copied) {
      pieces.add(buffer.slice(copied, buffer.position() - copied));
      copied = buffer.position();
    }
  }

  private void write() throws IOException {
    closeCopied();
    FileChannel target = Objects.requireNonNull(channel);
    target.position(position);
    ByteBuffer[] all = pieces.toArray(new ByteBuffer[0]);
    int first = 0;
    while (first < all.length) {
      position += target.write(all, first, all.length - first);
      while (first < all.length && !all[first].hasRemaining()) {
        first++;
      }
    }
    pieces.clear();
    buffer.clear();
    copied = 0;
  }
}
