package io.camhook.export;

import com.google.protobuf.CodedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.zip.CRC32C;

/**
 * A TensorBoard event file: TFRecords of {@code Event} messages ({@code
 * tensorboard/compat/proto/event.proto}, {@code summary.proto}). A record is its length (8 bytes,
 * little-endian), the masked CRC32C of the length, the message, the masked CRC32C of the message.
 * Not thread-safe.
 */
public final class EventFile implements Closeable {
  private static final String VERSION = "brain.Event:2";
  private static final int DT_STRING = 7;

  /** The rotation and offset of the CRC, so that a CRC of CRCs works (TFRecord). */
  private static final int MASK_DELTA = 0xa282ead8;

  private final OutputStream out;

  /** One or more fields of a message. */
  private interface Fields {
    void write(CodedOutputStream message) throws IOException;
  }

  /** Begins {@code file}; TensorBoard reads files whose names have {@code tfevents} in them. */
  public EventFile(Path file) throws IOException {
    this.out = Files.newOutputStream(file);
    record(message(event -> event.writeString(3, VERSION)));
  }

  /**
   * A picture.
   *
   * @param tag what it shows; {@code /} makes groups
   */
  public void image(String tag, long step, Instant time, int width, int height, byte[] png)
      throws IOException {
    byte[] image =
        message(
            fields -> {
              fields.writeInt32(1, height);
              fields.writeInt32(2, width);
              fields.writeInt32(3, 3); // RGB
              fields.writeByteArray(4, png);
            });
    summary(tag, step, time, value -> value.writeByteArray(4, image));
  }

  /** A number. */
  public void scalar(String tag, long step, Instant time, float number) throws IOException {
    summary(tag, step, time, value -> value.writeFloat(2, number));
  }

  /** The distribution of the finite ones among {@code values}; nothing if there is none. */
  public void histogram(String tag, long step, Instant time, float[] values) throws IOException {
    Distribution found = Distribution.of(values);
    if (found == null) {
      return;
    }
    byte[] histogram =
        message(
            fields -> {
              fields.writeDouble(1, found.min());
              fields.writeDouble(2, found.max());
              fields.writeDouble(3, found.count());
              fields.writeDouble(4, found.sum());
              fields.writeDouble(5, found.squares());
              fields.writeByteArray(6, packed(found.limits()));
              fields.writeByteArray(7, packed(found.counts()));
            });
    summary(tag, step, time, value -> value.writeByteArray(5, histogram));
  }

  /** Text, as Markdown. */
  public void text(String tag, long step, Instant time, String markdown) throws IOException {
    byte[] shape =
        message(fields -> fields.writeByteArray(2, message(size -> size.writeInt64(1, 1))));
    byte[] tensor =
        message(
            fields -> {
              fields.writeInt32(1, DT_STRING);
              fields.writeByteArray(2, shape);
              fields.writeByteArray(8, markdown.getBytes(StandardCharsets.UTF_8));
            });
    byte[] metadata =
        message(
            fields -> fields.writeByteArray(1, message(plugin -> plugin.writeString(1, "text"))));
    summary(
        tag,
        step,
        time,
        value -> {
          value.writeByteArray(8, tensor);
          value.writeByteArray(9, metadata);
        });
  }

  private void summary(String tag, long step, Instant time, Fields content) throws IOException {
    byte[] value =
        message(
            fields -> {
              fields.writeString(1, tag);
              content.write(fields);
            });
    byte[] summary = message(fields -> fields.writeByteArray(1, value));
    record(
        message(
            event -> {
              event.writeDouble(1, time.getEpochSecond() + time.getNano() / 1e9);
              event.writeInt64(2, step);
              event.writeByteArray(5, summary);
            }));
  }

  private static byte[] message(Fields fields) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try {
      CodedOutputStream message = CodedOutputStream.newInstance(bytes);
      fields.write(message);
      message.flush();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  private static byte[] packed(double[] numbers) {
    ByteBuffer bytes =
        ByteBuffer.allocate(numbers.length * Double.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asDoubleBuffer().put(numbers);
    return bytes.array();
  }

  private void record(byte[] message) throws IOException {
    byte[] length =
        ByteBuffer.allocate(Long.BYTES)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putLong(message.length)
            .array();
    out.write(length);
    out.write(masked(length));
    out.write(message);
    out.write(masked(message));
  }

  private static byte[] masked(byte[] bytes) {
    CRC32C crc = new CRC32C();
    crc.update(bytes);
    int masked = Integer.rotateRight((int) crc.getValue(), 15) + MASK_DELTA;
    return ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN).putInt(masked).array();
  }

  @Override
  public void close() throws IOException {
    out.close();
  }
}
