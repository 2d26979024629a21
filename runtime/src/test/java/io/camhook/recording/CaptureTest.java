package io.camhook.recording;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CaptureTest {
  static Capture sample(String id) {
    return Capture.builder("resnet18")
        .id(id)
        .time(Instant.parse("2026-11-24T06:15:30.123456Z"))
        .targets(List.of(new Target(0, 0, 282, "tiger cat", 12.5), new Target(0, 1, 7, null, -1)))
        .topK(List.of(List.of(new Prediction(282, "tiger cat", 0.75), new Prediction(7, null, 0))))
        .extra("request", "42")
        .tensor(TensorName.IMAGE, Tensor.ofBytes(new byte[] {1, 2, 3}, 1, 1, 3))
        .tensor(
            TensorName.activation(LayerOutput.of("layer4")),
            Tensor.ofFloats(new float[] {1, 2, 3, 4}, 1, 1, 2, 2))
        .tensor(
            TensorName.gradient(1, new LayerOutput("layer4", 2, "out")),
            Tensor.ofFloats(new float[] {-1}, 1))
        .build();
  }

  static byte[] bytes(Capture capture) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    capture.write(Channels.newChannel(out));
    return out.toByteArray();
  }

  @Test
  void capture_should_survive_its_bytes() throws IOException {
    Capture written = sample("a-1");
    Capture read = Capture.read(ByteBuffer.wrap(bytes(written)));
    assertThat(read.id()).isEqualTo("a-1");
    assertThat(read.model()).isEqualTo("resnet18");
    assertThat(read.time()).isEqualTo(written.time());
    assertThat(read.targets()).isEqualTo(written.targets());
    assertThat(read.topK()).isEqualTo(written.topK());
    assertThat(read.extra()).containsExactly(Map.entry("request", "42"));
    assertThat(read.tensors().keySet())
        .containsExactly("image", "activation/layer4", "gradient@1/layer4#2:out");
    assertThat(read.layers()).containsExactly(LayerOutput.of("layer4"));
    assertThat(
            read.tensor(TensorName.activation(LayerOutput.of("layer4"))).orElseThrow().toFloats())
        .containsExactly(1, 2, 3, 4);
  }

  @Test
  void damaged_tensor_should_be_noticed_by_its_crc() throws IOException {
    byte[] blob = bytes(sample("a-1"));
    blob[blob.length - 1] ^= 1;
    assertThatThrownBy(() -> Capture.read(ByteBuffer.wrap(blob)))
        .isInstanceOf(RecordingException.class)
        .hasMessageContaining("expected tensors with CRC32C");
  }

  private static Safetensors blobWith(String key, String value) throws IOException {
    Safetensors blob = Safetensors.read(ByteBuffer.wrap(bytes(sample("a-1"))));
    Map<String, String> metadata = new HashMap<>(blob.metadata());
    if (value.isEmpty()) {
      metadata.remove(key);
    } else {
      metadata.put(key, value);
    }
    return new Safetensors(metadata, blob.tensors());
  }

  @Test
  void metadata_should_be_readable_without_camhook() throws IOException {
    Capture capture =
        Capture.builder("net")
            .id("x")
            .time(Instant.parse("2026-11-24T06:15:30Z"))
            .targets(List.of(new Target(0, 0, 3, "cat", 0.5)))
            .tensor("data", Tensor.ofBytes("123456789".getBytes(StandardCharsets.US_ASCII), 9))
            .build();
    // e3069283 is the check value of CRC-32C (iSCSI): its sum over "123456789"
    assertThat(Safetensors.read(ByteBuffer.wrap(bytes(capture))).metadata())
        .isEqualTo(
            Map.of(
                "camhook.capture", "1",
                "id", "x",
                "model", "net",
                "time", "2026-11-24T06:15:30Z",
                "targets", "[{\"sample\":0,\"n\":0,\"index\":3,\"label\":\"cat\",\"score\":0.5}]",
                "top_k", "[]",
                "crc32c", "e3069283"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "camhook.capture | '' | found none, so this is not a capture",
        "camhook.capture | 2 | expected metadata camhook.capture=1, found 2",
        "id | '' | expected metadata 'id', found none",
        "id | ../../etc/passwd | a capture id is 1 to 88 of",
        "time | yesterday | could not be parsed",
        "crc32c | 00000000 | expected tensors with CRC32C 00000000",
        "targets | [{}] | metadata 'targets' is malformed",
        "targets | [null] | expected a JSON array in metadata 'targets', found [null]",
        "targets | null | expected a JSON array in metadata 'targets', found null",
        "top_k | [[{\"index\":1}]] | metadata 'top_k' is malformed",
        "top_k | [null] | expected a JSON array in metadata 'top_k'",
        "top_k | [[null]] | expected a JSON array in metadata 'top_k'",
        "top_k | [ | metadata 'top_k' is malformed",
      })
  void broken_metadata_should_be_refused_with_what_is_wrong(
      String key, String value, String message) throws IOException {
    Safetensors blob = blobWith(key, value);
    assertThatThrownBy(() -> Capture.of(blob, "capture"))
        .isInstanceOf(RecordingException.class)
        .hasMessageContaining(message);
  }

  @Test
  void metadata_of_later_versions_should_be_kept_as_extra() throws IOException {
    assertThat(Capture.of(blobWith("thread", "main"), "capture").extra())
        .containsEntry("thread", "main");
  }

  @Test
  void score_that_is_not_finite_should_survive() throws IOException {
    Capture capture =
        Capture.builder("net").targets(List.of(new Target(0, 0, 3, null, Double.NaN))).build();
    assertThat(Capture.read(ByteBuffer.wrap(bytes(capture))).targets().get(0).score()).isNaN();
  }

  @Test
  void ids_should_be_unique_and_sort_by_time() {
    Instant time = Instant.parse("2026-11-24T06:15:30.123456Z");
    String first = Capture.builder("net").time(time).build().id();
    String second = Capture.builder("net").time(time).build().id();
    String later = Capture.builder("net").time(time.plusNanos(1000)).build().id();
    assertThat(List.of(first, second, later)).isSorted().doesNotHaveDuplicates();
    assertThat(first).matches("20261124T061530123456Z-[0-9a-f]{8}-[0-9a-f]{8}");
  }

  @Test
  void builder_should_refuse_what_cannot_be_written() {
    Capture.Builder builder = Capture.builder("net");
    Tensor tensor = Tensor.ofFloats(new float[1], 1);
    builder.tensor(TensorName.IMAGE, tensor);
    assertThatThrownBy(() -> builder.tensor("image", tensor))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("tensor 'image' was added twice");
    assertThatThrownBy(() -> builder.extra("crc32c", "0"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("'crc32c' is one of a capture's own");
    assertThatThrownBy(() -> builder.id("a/b"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("found 'a/b'");
    Capture named = Capture.builder("net").tensor("__metadata__", tensor).build();
    assertThatThrownBy(() -> bytes(named))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("a tensor cannot be named __metadata__");
  }
}
