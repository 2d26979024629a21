package io.camhook.recording;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/*
 * Large pieces of native memory are handed to the system as they are. Small ones, and what lies on the
 * heap, are copied to a buffer of native memory first (the JDK would copy what lies on the heap anyway,
 * to one as large as the largest piece). Where that buffer is full, all that was gathered is written.
 */
/**
 * Writes many buffers to one position of a file with as few system calls as possible. Not
 * thread-safe.
 */
final class GatheringWrite {
  private static final int BUFFER_BYTES = 1 << 18;

  /** From this size on a piece of native memory costs more to copy than to hand over. */
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

  /** The bytes must stay as they are until {@link #end}. */
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
