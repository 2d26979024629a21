package io.camhook.cam;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.camhook.recording.DType;
import io.camhook.recording.Tensor;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ChannelBlocksTest {
  private static final CamMethod GRADCAM = CamMethods.byId("gradcam");
  private static final long[] INPUT = {3, 3, 224, 224};

  private static LayerTensors layer(int channels, int height, int width, DType type) {
    Random random = new Random(channels);
    float[] a = new float[3 * channels * height * width];
    float[] g = new float[a.length];
    for (int i = 0; i < a.length; i++) {
      a[i] = (float) random.nextGaussian();
      g[i] = (float) random.nextGaussian();
    }
    return LayerTensors.of(
            "layer",
            Tensor.ofFloats(a, 3, channels, height, width).to(type),
            Tensor.ofFloats(g, 3, channels, height, width).to(type))
        .withLayout(Layout.channelsFirst());
  }

  /** Blocks of channels: many, one, fewer than four, and maps larger than a block. */
  @ParameterizedTest
  @CsvSource({"2048, 7, 7", "5, 3, 2", "3, 7, 5", "130, 7, 7", "9, 60, 70", "1, 1, 2"})
  void map_read_in_blocks_should_be_that_of_whole_arrays(int channels, int height, int width) {
    LayerTensors layer = layer(channels, height, width, DType.F32);
    for (int sample = 0; sample < 3; sample++) {
      float[] whole = GRADCAM.raw(layer.sample(sample, INPUT)).values();
      FloatMap blocks = GRADCAM.raw(layer, sample, INPUT);
      assertThat(blocks.values()).isEqualTo(whole);
      assertThat(blocks.shape()).containsExactly(height, width);
    }
  }

  @Test
  void tensors_of_half_precision_should_be_read_as_whole_arrays() {
    LayerTensors layer = layer(16, 4, 4, DType.F16);
    assertThat(GRADCAM.raw(layer, 1, INPUT).values())
        .isEqualTo(GRADCAM.raw(layer.sample(1, INPUT)).values());
  }

  /** Infinity times a weight of 0 is NaN; infinities of both signs add up to NaN. */
  @ParameterizedTest
  @CsvSource({"NaN, 0", "Infinity, 0", "-Infinity, Infinity"})
  void value_that_is_no_number_should_be_refused_as_in_whole_arrays(float first, float second) {
    for (boolean inGradient : new boolean[] {false, true}) {
      float[] bad = new float[2 * 4 * 4];
      bad[5] = first;
      bad[6] = second;
      Tensor broken = Tensor.ofFloats(bad, 1, 2, 4, 4);
      Tensor zeros = Tensor.ofFloats(new float[2 * 4 * 4], 1, 2, 4, 4);
      LayerTensors layer =
          LayerTensors.of("layer", inGradient ? zeros : broken, inGradient ? broken : zeros)
              .withLayout(Layout.channelsFirst());
      assertThatThrownBy(() -> GRADCAM.raw(layer, 0, INPUT))
          .isInstanceOf(CamException.class)
          .hasMessageContaining(inGradient ? "the gradient of layer" : "the activation of layer");
    }
  }
}
