package io.camhook.recording;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SafetensorsTest {
  private static final String FLOATS =
      "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}";

  @TempDir Path directory;

  /** A blob put together by hand: length, header, data. */
  static byte[] blob(String header, byte... data) {
    byte[] json = header.getBytes(StandardCharsets.UTF_8);
    return ByteBuffer.allocate(8 + json.length + data.length)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(json.length)
        .put(json)
        .put(data)
        .array();
  }

  static byte[] write(Safetensors blob) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    blob.write(Channels.newChannel(out));
    return out.toByteArray();
  }

  @Test
  void blob_should_be_read_as_the_format_lays_it_out() throws IOException {
    // 1.0f = 3F800000, -2.0f = C0000000, little endian
    byte[] blob = blob(FLOATS, new byte[] {0, 0, (byte) 0x80, 0x3f, 0, 0, 0, (byte) 0xc0});
    assertThat(Safetensors.read(ByteBuffer.wrap(blob)).tensors().get("a").toFloats())
        .containsExactly(1f, -2f);
  }

  @Test
  void file_stream_and_buffer_should_read_the_same() throws IOException {
    byte[] blob =
        write(
            new Safetensors(
                Map.of("key", "value äöü \"quoted\""),
                Map.of("a", Tensor.ofFloats(new float[] {1, 2, 3}, 3, 1))));
    Path file = Files.write(directory.resolve("x.safetensors"), blob);
    for (Safetensors read :
        List.of(
            Safetensors.read(ByteBuffer.wrap(blob)),
            Safetensors.read(file),
            Safetensors.read(new ByteArrayInputStream(blob)))) {
      assertThat(read.metadata()).isEqualTo(Map.of("key", "value äöü \"quoted\""));
      assertThat(read.tensors().get("a").shape()).containsExactly(3, 1);
      assertThat(read.tensors().get("a").toFloats()).containsExactly(1, 2, 3);
    }
  }

  @Test
  void written_tensors_should_keep_their_order_and_be_aligned() throws IOException {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    tensors.put("z", Tensor.ofBytes(new byte[] {7, 8, 9}, 3));
    tensors.put("scalar", Tensor.ofFloats(new float[] {5}));
    tensors.put("empty", Tensor.ofFloats(new float[0], 0, 4));
    tensors.put("a", new Tensor(DType.I64, new long[] {1}, ByteBuffer.allocate(8)));
    Safetensors written = new Safetensors(Map.of(), tensors);
    byte[] blob = write(written);
    assertThat(blob).hasSize((int) written.byteSize());
    Safetensors read = Safetensors.read(ByteBuffer.wrap(blob));
    assertThat(read.tensors().keySet()).containsExactly("z", "scalar", "empty", "a");
    assertThat(read.tensors().get("z").toFloats()).containsExactly(7, 8, 9);
    assertThat(read.tensors().get("scalar").rank()).isZero();
    assertThat(read.tensors().get("scalar").toFloats()).containsExactly(5);
    int dataStart = 8 + ByteBuffer.wrap(blob).order(ByteOrder.LITTLE_ENDIAN).getInt();
    assertThat(dataStart % 8).isZero();
    // widest first: I64 at 0, F32 at 8, then the bytes
    assertThat(new String(blob, StandardCharsets.UTF_8))
        .contains("\"a\":{\"dtype\":\"I64\",\"shape\":[1],\"data_offsets\":[0,8]}")
        .contains("\"scalar\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[8,12]}")
        .contains("\"z\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[12,15]}");
  }

  @Test
  void channel_that_takes_a_few_bytes_at_a_time_should_get_the_same() throws IOException {
    Capture capture = CaptureTest.sample("slow");
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    capture.write(
        new WritableByteChannel() {
          @Override
          public int write(ByteBuffer bytes) {
            int length = Math.min(7, bytes.remaining());
            for (int i = 0; i < length; i++) {
              out.write(bytes.get());
            }
            return length;
          }

          @Override
          public boolean isOpen() {
            return true;
          }

          @Override
          public void close() {}
        });
    assertThat(out.toByteArray()).isEqualTo(CaptureTest.bytes(capture));
  }

  @Test
  void tensors_should_be_slices_not_copies() throws IOException {
    byte[] blob = blob(FLOATS, new byte[8]);
    Tensor tensor = Safetensors.read(ByteBuffer.wrap(blob)).tensors().get("a");
    blob[blob.length - 1] = 0x40; // 0x40000000 = 2.0f
    assertThat(tensor.toFloats()).containsExactly(0, 2);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "[]                                                          | begins with '{', found '['",
        "{\"a\":1}                                                   | an object for 'a', found"
            + " VALUE_NUMBER_INT",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2]}}                   | dtype, shape, data_offsets"
            + " in 'a'",
        "{\"a\":{\"dtype\":\"F31\",\"shape\":[2],\"data_offsets\":[0,8]}} | found F31",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,8]}} | expected 12 bytes for"
            + " 'a' F32[3], found data_offsets [0, 8]",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}} | no negative number in"
            + " shape of 'a'",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2.0],\"data_offsets\":[0,8]}} | integers in shape of"
            + " 'a', found 2.0",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,8]}} |"
            + " below 2^63 bytes",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[99999999999999999999],\"data_offsets\":[0,8]}} | out"
            + " of range of long",
        "{\"a\":{\"dtype\":\"U8\",\"shape\":[3000000000],\"data_offsets\":[0,3000000000]}} | less"
            + " than 2 GiB for 'a'",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,0]}} | data_offsets [begin,"
            + " end] of 'a', found [8, 0]",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}} | tensor 'a' to begin at"
            + " 0",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}} | expected 4 bytes of"
            + " tensors, found 8",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,16]}} | expected 16 bytes of"
            + " tensors, found 8",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}"
            + " | tensor 'b' to begin at 8",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},\"a\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[8,8]}}"
            + " | unique names, found 'a' twice",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8],\"x\":1}} | found 'x'",
        "{\"__metadata__\":{\"k\":1}}                                | a string for metadata 'k'",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}x | not well-formed JSON",
        "{\"a\":                                                     | not well-formed JSON",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}} {} | nothing after the"
            + " header's object",
      })
  void broken_header_should_be_refused_with_what_is_wrong(String header, String message) {
    assertThatThrownBy(() -> Safetensors.read(ByteBuffer.wrap(blob(header, new byte[8]))))
        .isInstanceOf(RecordingException.class)
        .hasMessageContaining(message);
  }

  @Test
  void header_length_should_be_bounded() {
    for (long length : new long[] {-1, 1, Safetensors.MAX_HEADER_BYTES + 1L, Long.MIN_VALUE}) {
      ByteBuffer blob = ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN).putLong(0, length);
      assertThatThrownBy(() -> Safetensors.read(blob))
          .isInstanceOf(RecordingException.class)
          .hasMessageContaining(
              "a header of 2 to 100000000 bytes, found " + Long.toUnsignedString(length));
    }
    ByteBuffer shorter = ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN).putLong(0, 9);
    assertThatThrownBy(() -> Safetensors.read(shorter))
        .hasMessageContaining("expected a header of 9 bytes, found only 8 bytes");
    assertThatThrownBy(() -> Safetensors.read(ByteBuffer.allocate(7)))
        .hasMessageContaining("at least 8 bytes of header length, found 7 bytes");
  }

  @Test
  void stream_that_ends_early_or_late_should_be_refused() throws IOException {
    byte[] blob = blob(FLOATS, new byte[8]);
    for (int length = 0; length < blob.length; length++) {
      ByteArrayInputStream cut = new ByteArrayInputStream(blob, 0, length);
      assertThatThrownBy(() -> Safetensors.read(cut)).isInstanceOf(RecordingException.class);
    }
    byte[] longer = java.util.Arrays.copyOf(blob, blob.length + 1);
    assertThatThrownBy(() -> Safetensors.read(new ByteArrayInputStream(longer)))
        .hasMessageContaining("the end after the last tensor, found more bytes");
  }

  @Test
  void header_that_is_not_utf8_should_be_refused() {
    byte[] blob = blob("{\"x\":{}}");
    blob[10] = (byte) 0xff;
    assertThatThrownBy(() -> Safetensors.read(ByteBuffer.wrap(blob)))
        .isInstanceOf(RecordingException.class)
        .hasMessageContaining("not UTF-8");
  }

  @Test
  void file_larger_than_a_buffer_should_be_read() throws IOException {
    // 2 tensors of 1.5 GiB in a sparse file: 3 GiB do not fit one mapping
    long half = 3L << 29;
    String header =
        "{\"a\":{\"dtype\":\"U8\",\"shape\":[%d],\"data_offsets\":[0,%d]},\"b\":{\"dtype\":\"U8\",\"shape\":[%d],\"data_offsets\":[%d,%d]}}"
            .formatted(half, half, half, half, 2 * half);
    byte[] prefix = blob(header);
    Path file = Files.write(directory.resolve("large.safetensors"), prefix);
    try (var channel = Files.newByteChannel(file, java.nio.file.StandardOpenOption.WRITE)) {
      channel.position(prefix.length + 2 * half - 1).write(ByteBuffer.wrap(new byte[] {42}));
    }
    Tensor b = Safetensors.read(file).tensors().get("b");
    assertThat(b.byteSize()).isEqualTo(half);
    assertThat(b.data().get((int) half - 1)).isEqualTo((byte) 42);
  }

  @Test
  void files_written_by_pytorch_should_be_read() throws IOException {
    Path reference = Path.of(System.getProperty("camhook.reference", "absent"));
    assumeTrue(Files.isDirectory(reference), "no reference data at camhook.reference");
    List<Path> files;
    try (Stream<Path> all = Files.walk(reference)) {
      files = all.filter(file -> file.toString().endsWith(".safetensors")).toList();
    }
    assertThat(files).hasSizeGreaterThan(20);
    for (Path file : files) {
      Safetensors read = Safetensors.read(file);
      assertThat(read.tensors()).as("%s", file).isNotEmpty();
      Safetensors again = Safetensors.read(ByteBuffer.wrap(write(read)));
      assertThat(again.metadata()).isEqualTo(read.metadata());
      assertThat(again.tensors().keySet()).containsExactlyElementsOf(read.tensors().keySet());
      read.tensors()
          .forEach(
              (name, tensor) -> {
                assertThat(again.tensors().get(name)).hasToString(tensor.toString());
                assertThat(again.tensors().get(name).data()).isEqualTo(tensor.data());
              });
    }
  }
}
