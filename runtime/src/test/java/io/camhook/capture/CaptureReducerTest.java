package io.camhook.capture;

import static org.assertj.core.api.Assertions.assertThat;

import io.camhook.config.CamhookConfig.CaptureKind;
import io.camhook.config.CamhookConfig.Kept;
import io.camhook.config.CamhookConfig.Model;
import io.camhook.config.CamhookConfig.Precision;
import io.camhook.config.CamhookConfig.Scored;
import io.camhook.config.CamhookConfig.Target;
import io.camhook.recording.Capture;
import io.camhook.recording.DType;
import io.camhook.recording.LayerOutput;
import io.camhook.recording.Tensor;
import io.camhook.recording.TensorName;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class CaptureReducerTest {
  private static final LayerOutput LAYER = LayerOutput.of("layer4");

  private static CaptureReducer keeping(Precision precision, boolean maps) {
    return new CaptureReducer(
        List.of(
            new Model(
                "res*",
                List.of("layer4"),
                Set.of(CaptureKind.ACTIVATION),
                Target.TOP1,
                null,
                List.of(),
                null,
                Scored.USUAL,
                new Kept(precision, maps))));
  }

  @Test
  void values_should_be_written_in_the_wanted_precision() {
    Capture capture =
        Capture.builder("resnet18")
            .tensor(TensorName.IMAGE, Tensor.ofBytes(new byte[] {1, 2, 3}, 1, 1, 3))
            .tensor(TensorName.output(0), Tensor.ofFloats(new float[] {1, 3.140625f}, 1, 2))
            .build();
    Capture half = keeping(Precision.FLOAT16, false).apply(capture);
    Tensor output = half.tensor(TensorName.output(0)).orElseThrow();
    assertThat(output.dtype()).isEqualTo(DType.F16);
    assertThat(output.toFloats()).containsExactly(1, 3.140625f); // 11 bits are enough for it
    assertThat(half.tensor(TensorName.IMAGE).orElseThrow().dtype()).isEqualTo(DType.U8);
    assertThat(half.id()).isEqualTo(capture.id());
    Tensor brain =
        keeping(Precision.BFLOAT16, false)
            .apply(capture)
            .tensor(TensorName.output(0))
            .orElseThrow();
    assertThat(brain.dtype()).isEqualTo(DType.BF16);
    assertThat(brain.toFloats()).containsExactly(1, 3.140625f); // 1.1001001 × 2, 8 bits
    Capture other = Capture.builder("vgg").build();
    assertThat(keeping(Precision.FLOAT16, true).apply(other)).isSameAs(other);
  }

  /**
   * Two channels of 1×2: A₀ = (1, 2), A₁ = (3, 4), g₀ = (1, 3), g₁ = (-1, 0). The means of g are 2
   * and −0.5, so the raw map is 2·(1, 2) − 0.5·(3, 4) = (0.5, 2).
   */
  @Test
  void maps_should_take_the_place_of_activations_and_gradients() {
    Capture capture =
        Capture.builder("resnet18")
            .tensor(TensorName.IMAGE, Tensor.ofBytes(new byte[128 * 256 * 3], 128, 256, 3))
            .tensor(TensorName.input(0), Tensor.ofFloats(new float[6], 1, 3, 1, 2))
            .tensor(
                TensorName.activation(LAYER), Tensor.ofFloats(new float[] {1, 2, 3, 4}, 1, 2, 1, 2))
            .tensor(
                TensorName.gradient(0, LAYER),
                Tensor.ofFloats(new float[] {1, 3, -1, 0}, 1, 2, 1, 2))
            .tensor(
                TensorName.gradient(1, LAYER),
                Tensor.ofFloats(new float[] {0, 2, 0, 0}, 1, 2, 1, 2))
            .tensor(TensorName.CLASSIFIER_WEIGHT, Tensor.ofFloats(new float[] {1, 2}, 1, 2))
            .tensor(TensorName.output(0), Tensor.ofFloats(new float[] {7}, 1, 1))
            .build();
    Capture kept = keeping(Precision.FLOAT32, true).apply(capture);
    assertThat(kept.tensors().keySet())
        .containsExactlyInAnyOrder(
            "raw/gradcam/layer4", "raw@1/gradcam/layer4", "image", "output.0");
    Tensor raw = kept.tensors().get("raw/gradcam/layer4");
    assertThat(raw.shape()).containsExactly(1, 1, 2);
    assertThat(raw.toFloats()).containsExactly(0.5f, 2);
    assertThat(kept.tensors().get("raw@1/gradcam/layer4").toFloats()).containsExactly(1, 2);
    assertThat(kept.tensors().get("image").shape()).containsExactly(32, 64, 3);
    assertThat(kept.extra()).containsEntry("reduced", "cam");
  }

  /** The same numbers with channels last, of an input twice as wide as high. */
  @Test
  void channels_should_be_found_where_they_are() {
    Tensor raw =
        GradCamMaps.raw(
            Tensor.ofFloats(new float[] {1, 3, 2, 4}, 1, 1, 2, 2),
            Tensor.ofFloats(new float[] {1, -1, 3, 0}, 1, 1, 2, 2),
            new long[] {1, 3, 100, 200});
    assertThat(raw.toFloats()).containsExactly(0.5f, 2);
  }

  @Test
  void thumbnail_should_average() {
    byte[] row = new byte[128];
    for (int i = 0; i < row.length; i++) {
      row[i] = (byte) (i % 2 == 0 ? 10 : 30);
    }
    Tensor small = Thumbnail.of(Tensor.ofBytes(row, 1, 128, 1));
    assertThat(small.shape()).containsExactly(1, 64, 1);
    assertThat(small.toFloats()).containsOnly(20);
    Tensor tiny = Tensor.ofBytes(new byte[12], 2, 2, 3);
    assertThat(Thumbnail.of(tiny)).isSameAs(tiny);
  }

  /** A ResNet-50 capture of 958 kB becomes 2 to 20 kB. */
  @Test
  void capture_of_a_resnet_50_should_become_small() {
    Capture capture =
        Capture.builder("resnet50")
            .tensor(TensorName.IMAGE, Tensor.ofBytes(new byte[224 * 224 * 3], 224, 224, 3))
            .tensor(TensorName.activation(LAYER), Tensor.ofFloats(new float[100352], 1, 2048, 7, 7))
            .tensor(
                TensorName.gradient(0, LAYER), Tensor.ofFloats(new float[100352], 1, 2048, 7, 7))
            .tensor(TensorName.output(0), Tensor.ofFloats(new float[1000], 1, 1000))
            .build();
    assertThat(capture.tensorBytes()).isBetween(950_000L, 960_000L);
    assertThat(keeping(Precision.FLOAT16, true).apply(capture).tensorBytes())
        .isBetween(2_000L, 20_000L);
  }
}
