package io.camhook.benchmarks;

import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;

/** Takes bytes and only counts them. */
final class CountingChannel implements WritableByteChannel {
  private long bytes;

  @Override
  public int write(ByteBuffer source) {
    int length = source.remaining();
    source.position(source.limit());
    bytes += length;
    return length;
  }

  long bytes() {
    return bytes;
  }

  @Override
  public boolean isOpen() {
    return true;
  }

  @Override
  public void close() {}
}
