package io.camhook.export;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.WireFormat;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Reads event files strictly by the format: records, CRCs, messages. */
class EventFileTest {
  @TempDir Path folder;

  /** The messages of a file whose CRCs are right; fails otherwise. */
  static List<byte[]> records(Path file) throws IOException {
    ByteBuffer in = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    List<byte[]> messages = new ArrayList<>();
    while (in.hasRemaining()) {
      byte[] length = new byte[8];
      in.get(length);
      assertThat(in.getInt()).isEqualTo(masked(length));
      byte[] message =
          new byte[(int) ByteBuffer.wrap(length).order(ByteOrder.LITTLE_ENDIAN).getLong()];
      in.get(message);
      assertThat(in.getInt()).isEqualTo(masked(message));
      messages.add(message);
    }
    return messages;
  }

  private static int masked(byte[] bytes) {
    CRC32C crc = new CRC32C();
    crc.update(bytes);
    long value = crc.getValue();
    return (int) (((value >>> 15 | value << 17) & 0xffffffffL) + 0xa282ead8L);
  }

  /** Fields of a message by number; the last of each. */
  static Map<Integer, Object> fields(byte[] message) throws IOException {
    CodedInputStream in = CodedInputStream.newInstance(message);
    Map<Integer, Object> fields = new TreeMap<>();
    for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
      Object value =
          switch (WireFormat.getTagWireType(tag)) {
            case WireFormat.WIRETYPE_VARINT -> in.readInt64();
            case WireFormat.WIRETYPE_FIXED64 -> in.readDouble();
            case WireFormat.WIRETYPE_FIXED32 -> in.readFloat();
            default -> in.readByteArray();
          };
      fields.put(WireFormat.getTagFieldNumber(tag), value);
    }
    return fields;
  }

  private static Map<Integer, Object> inside(Map<Integer, Object> fields, int number)
      throws IOException {
    return fields((byte[]) fields.get(number));
  }

  private static double[] doubles(Object packed) {
    ByteBuffer bytes = ByteBuffer.wrap((byte[]) packed).order(ByteOrder.LITTLE_ENDIAN);
    double[] numbers = new double[bytes.remaining() / 8];
    bytes.asDoubleBuffer().get(numbers);
    return numbers;
  }

  @Test
  void records_should_have_their_lengths_and_masked_checksums() throws IOException {
    Path file = folder.resolve("events.out.tfevents.1.host");
    Instant time = Instant.parse("2026-11-24T06:15:00.500Z");
    try (EventFile events = new EventFile(file)) {
      events.image("net/gradcam", 3, time, 4, 2, new byte[] {1, 2, 3});
      events.scalar("net/confidence", 3, time, 0.25f);
      events.text("net/predictions", 3, time, "| cat |");
      events.histogram("net/activation/a", 3, time, new float[] {0, 1, 1, 2, Float.NaN});
      events.histogram("net/activation/b", 3, time, new float[] {Float.NaN});
    }
    List<byte[]> records = records(file);
    assertThat(records).hasSize(5);
    assertThat(new String((byte[]) fields(records.get(0)).get(3), StandardCharsets.US_ASCII))
        .isEqualTo("brain.Event:2");

    Map<Integer, Object> event = fields(records.get(1));
    assertThat(event).containsEntry(1, 1795500900.5).containsEntry(2, 3L);
    Map<Integer, Object> value = inside(inside(event, 5), 1);
    assertThat(new String((byte[]) value.get(1), StandardCharsets.UTF_8)).isEqualTo("net/gradcam");
    assertThat(inside(value, 4))
        .containsEntry(1, 2L)
        .containsEntry(2, 4L)
        .containsEntry(3, 3L)
        .containsEntry(4, new byte[] {1, 2, 3});

    assertThat(inside(inside(fields(records.get(2)), 5), 1)).containsEntry(2, 0.25f);

    Map<Integer, Object> text = inside(inside(fields(records.get(3)), 5), 1);
    assertThat(inside(text, 8))
        .containsEntry(1, 7L)
        .containsEntry(8, "| cat |".getBytes(StandardCharsets.UTF_8));
    assertThat(inside(inside(text, 9), 1))
        .containsEntry(1, "text".getBytes(StandardCharsets.UTF_8));

    // 0, 1, 1, 2: sum 4, squares 6; 30 bins of 2/30, 1 lies at the edge of the 16th
    Map<Integer, Object> histogram = inside(inside(inside(fields(records.get(4)), 5), 1), 5);
    assertThat(histogram)
        .containsEntry(1, 0.0)
        .containsEntry(2, 2.0)
        .containsEntry(3, 4.0)
        .containsEntry(4, 4.0)
        .containsEntry(5, 6.0);
    double[] counts = doubles(histogram.get(7));
    assertThat(counts).hasSize(30);
    assertThat(counts[0]).isEqualTo(1);
    assertThat(counts[14] + counts[15]).isEqualTo(2);
    assertThat(counts[29]).isEqualTo(1);
    assertThat(doubles(histogram.get(6))[29]).isEqualTo(2);
  }
}
