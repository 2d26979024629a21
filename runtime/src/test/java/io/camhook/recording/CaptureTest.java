package io.camhook.recording;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

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
    assertThat(read.extra()).containsExactly(java.util.Map.entry("request", "42"));
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
}
