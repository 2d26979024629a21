package io.camhook.recording;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A safetensors blob: string metadata and named tensors. Layout: 8 bytes little-endian header
 * length, a JSON header, the tensors' bytes without gaps.
 *
 * <p>Reading is strict: a blob that violates the format is rejected with a {@link
 * RecordingException}, and memory is allocated only for bytes that are present. Immutable and
 * thread-safe.
 *
 * @param metadata the {@code __metadata__} of the header, in its order; empty if there is none
 * @param tensors the tensors by name, in the order of the header
 */
public record Safetensors(Map<String, String> metadata, Map<String, Tensor> tensors) {
  /** Longest header that is written or read, as in the format's reference implementation. */
  public static final int MAX_HEADER_BYTES = 100_000_000;

  /** Size in bytes of the header length at the beginning of a blob. */
  static final int PREFIX_BYTES = 8;

  public Safetensors {
    metadata = Collections.unmodifiableMap(new LinkedHashMap<>(metadata));
    tensors = Collections.unmodifiableMap(new LinkedHashMap<>(tensors));
  }

  /**
   * Reads a blob that fills {@code blob} from its position to its limit. The tensors are slices of
   * it, not copies; its position does not change.
   */
  public static Safetensors read(ByteBuffer blob) throws RecordingException {
    return read(blob, "safetensors blob");
  }

  static Safetensors read(ByteBuffer blob, String where) throws RecordingException {
    ByteBuffer in = blob.slice().order(ByteOrder.LITTLE_ENDIAN);
    if (in.remaining() < PREFIX_BYTES) {
      throw tooShort(where, in.remaining());
    }
    int headerBytes = SafetensorsHeader.checkLength(in.getLong(0), in.remaining(), where);
    int dataStart = PREFIX_BYTES + headerBytes;
    SafetensorsHeader header = SafetensorsHeader.parse(in.slice(PREFIX_BYTES, headerBytes), where);
    header.checkDataLength(in.remaining() - dataStart);
    return header.withBodies(
        entry -> in.slice(dataStart + (int) entry.begin(), (int) entry.length()));
  }

  /**
   * Reads a file. The tensors are slices of the mapped file: pages are loaded when they are
   * touched, and the file must not be truncated while they are in use.
   *
   * @throws RecordingException if the file is not a safetensors file
   */
  public static Safetensors read(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      return readMapped(channel, file.toString());
    }
  }

  private static Safetensors readMapped(FileChannel channel, String where) throws IOException {
    long size = channel.size();
    if (size < PREFIX_BYTES) {
      throw tooShort(where, size);
    }
    if (size <= Integer.MAX_VALUE) {
      return read(channel.map(FileChannel.MapMode.READ_ONLY, 0, size), where);
    }
    ByteBuffer prefix =
        channel.map(FileChannel.MapMode.READ_ONLY, 0, PREFIX_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    int headerBytes = SafetensorsHeader.checkLength(prefix.getLong(0), size, where);
    SafetensorsHeader header =
        SafetensorsHeader.parse(
            channel.map(FileChannel.MapMode.READ_ONLY, PREFIX_BYTES, headerBytes), where);
    long dataStart = PREFIX_BYTES + (long) headerBytes;
    header.checkDataLength(size - dataStart);
    return header.withBodies(
        entry ->
            channel.map(FileChannel.MapMode.READ_ONLY, dataStart + entry.begin(), entry.length()));
  }

  /**
   * Reads a blob that ends where {@code in} ends. The stream is not closed.
   *
   * @throws RecordingException if the stream holds no safetensors blob or more than one
   */
  public static Safetensors read(InputStream in) throws IOException {
    String where = "safetensors stream";
    ByteBuffer prefix = ByteBuffer.wrap(in.readNBytes(PREFIX_BYTES)).order(ByteOrder.LITTLE_ENDIAN);
    if (prefix.remaining() < PREFIX_BYTES) {
      throw tooShort(where, prefix.remaining());
    }
    int headerBytes = SafetensorsHeader.checkLength(prefix.getLong(0), Long.MAX_VALUE, where);
    byte[] json = in.readNBytes(headerBytes);
    if (json.length < headerBytes) {
      throw RecordingException.at(where, "a header of " + headerBytes + " bytes", json.length);
    }
    SafetensorsHeader header = SafetensorsHeader.parse(ByteBuffer.wrap(json), where);
    Safetensors read =
        header.withBodies(
            entry -> {
              byte[] body = in.readNBytes((int) entry.length());
              if (body.length < entry.length()) {
                throw RecordingException.at(
                    where,
                    entry.length() + " bytes of tensor '" + entry.name() + "'",
                    body.length + " before the end");
              }
              return ByteBuffer.wrap(body);
            });
    if (in.read() >= 0) {
      throw RecordingException.at(where, "the end after the last tensor", "more bytes");
    }
    return read;
  }

  /**
   * Reads the blob of {@code size} bytes at {@code position} of {@code channel} into the heap; the
   * channel's own position is neither used nor changed.
   */
  static Safetensors read(FileChannel channel, long position, long size, String where)
      throws IOException {
    if (size < PREFIX_BYTES) {
      throw tooShort(where, size);
    }
    ByteBuffer prefix = readFully(channel, position, PREFIX_BYTES);
    int headerBytes = SafetensorsHeader.checkLength(prefix.getLong(0), size, where);
    SafetensorsHeader header =
        SafetensorsHeader.parse(readFully(channel, position + PREFIX_BYTES, headerBytes), where);
    long dataStart = PREFIX_BYTES + (long) headerBytes;
    header.checkDataLength(size - dataStart);
    return header.withBodies(
        entry -> readFully(channel, position + dataStart + entry.begin(), (int) entry.length()));
  }

  /** Reads in pieces, because the JDK keeps a direct buffer as large as the largest heap read. */
  private static ByteBuffer readFully(FileChannel channel, long position, int length)
      throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
    while (bytes.position() < length) {
      bytes.limit(Math.min(length, bytes.position() + SafetensorsLayout.CHUNK_BYTES));
      if (channel.read(bytes, position + bytes.position()) < 0) {
        throw new EOFException(
            "file ends at byte "
                + (position + bytes.position())
                + ", expected "
                + (position + length));
      }
    }
    return bytes.flip();
  }

  /**
   * Writes the blob to {@code channel}, tensor by tensor; nothing but the header is built in
   * memory.
   *
   * @throws IllegalArgumentException if a tensor has the reserved name {@code __metadata__}
   */
  public void write(WritableByteChannel channel) throws IOException {
    new SafetensorsLayout(metadata, tensors).write(channel);
  }

  /** Length of the blob that {@link #write} writes. */
  public long byteSize() {
    return new SafetensorsLayout(metadata, tensors).size();
  }

  private static RecordingException tooShort(String where, long found) {
    return RecordingException.at(where, "at least 8 bytes of header length", found + " bytes");
  }
}
