package io.camhook.cam;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.camhook.recording.Tensor;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LayoutTest {

  @ParameterizedTest
  @CsvSource({
    "197, 224, 224, 14, 14, 1", // ViT-B/16: a class token
    "196, 224, 224, 14, 14, 0", // a class token that was averaged away
    "198, 224, 224, 14, 14, 2", // DeiT: class and distillation
    "261, 224, 224, 16, 16, 5", // DINOv2/14 with four registers
    "50, 224, 224, 7, 7, 1", // ViT-B/32
    "577, 384, 384, 24, 24, 1", // ViT at 384
    "25, 96, 64, 6, 4, 1", // not square: 96 / 16 by 64 / 16
    "301, 160, 480, 10, 30, 1", // a wide picture
    "65, 64, 64, 8, 8, 1" // the reference's ViT
  })
  void grid_of_tokens_should_be_found_from_the_input(
      int tokens, int height, int width, int rows, int columns, int skip) {
    Layout found =
        Layout.detect("ln_1", new long[] {1, tokens, 64}, new long[] {1, 3, height, width});
    assertThat(found).isEqualTo(Layout.tokens(rows, columns, skip));
  }

  @Test
  void tokens_should_be_no_grid_where_the_input_is_no_picture() {
    // 16 words of 16 channels, a square number, are words.
    assertThat(Layout.possible("norm", new long[] {1, 16, 16}, new long[] {1, 16}))
        .containsExactly(Layout.channelsFirst(), Layout.channelsLast());
    assertThat(Layout.detect("norm", new long[] {1, 16, 8}, new long[] {1, 16}))
        .isEqualTo(Layout.channelsLast());
    assertThat(Layout.detect("proj", new long[] {1, 50, 16}, new long[] {1, 50, 12}))
        .isEqualTo(Layout.channelsLast());
    assertThatThrownBy(() -> Layout.detect("ln_1", new long[] {1, 197, 64}, new long[0]))
        .isInstanceOf(CamException.class)
        .hasMessage(
            "layer ln_1: its output of shape [1, 197, 64] may have its channels first or last; say"
                + " which with --reshape channels-first or --reshape channels-last");
  }

  @Test
  void channels_near_the_height_should_not_be_taken_for_it() {
    // Swin at 384: 96 by 96 positions of 128 channels.
    assertThat(Layout.detect("norm", new long[] {1, 96, 96, 128}, new long[] {1, 3, 384, 384}))
        .isEqualTo(Layout.channelsLast());
    assertThat(Layout.detect("norm", new long[] {1, 128, 96, 96}, new long[] {1, 3, 384, 384}))
        .isEqualTo(Layout.channelsFirst());
    assertThat(Layout.possible("norm", new long[] {1, 12, 12, 12}, new long[] {1, 3, 48, 48}))
        .hasSize(2);
  }

  @Test
  void tokens_that_form_no_grid_should_be_refused_with_what_to_say() {
    assertThatThrownBy(
            () -> Layout.detect("ln_1", new long[] {1, 120, 64}, new long[] {1, 3, 224, 224}))
        .isInstanceOf(CamException.class)
        .hasMessage(
            "layer ln_1: its 120 tokens form no grid over an input of 224x224; say which with"
                + " --reshape tokens:HEIGHTxWIDTH+SKIP, or choose a layer with spatial extent");
  }

  @Test
  void tokens_should_be_overridable() {
    // Two positions of two channels after one token: (9, 9), (1, 3), (2, 4).
    LayerTensors layer =
        LayerTensors.of("ln_1", Tensor.ofFloats(new float[] {9, 9, 1, 3, 2, 4}, 1, 3, 2), null)
            .withLayout(Layout.parse("tokens:1x2+1"));
    LayerSample sample = layer.sample(0, new long[] {1, 3, 224, 224});
    assertThat(sample.spatial()).containsExactly(1, 2);
    assertThat(sample.activation()).containsExactly(1, 2, 3, 4);
    assertThatThrownBy(
            () -> layer.withLayout(Layout.parse("tokens:2x2")).sample(0, new long[] {1, 3, 8, 8}))
        .isInstanceOf(CamException.class)
        .hasMessage(
            "layer ln_1: a grid of [2, 2] after 0 tokens needs an output [N,4,D], found [1, 3,"
                + " 2]");
  }

  @Test
  void channels_last_should_be_found_from_the_proportions() {
    long[] input = {1, 3, 64, 64};
    assertThat(Layout.detect("features.5", new long[] {1, 4, 4, 96}, input))
        .isEqualTo(Layout.channelsLast());
    assertThat(Layout.detect("features.5", new long[] {1, 96, 4, 4}, input))
        .isEqualTo(Layout.channelsFirst());
    // Not square: 96 x 64 in patches of 16 is 6 x 4.
    assertThat(Layout.detect("features.5", new long[] {1, 6, 4, 48}, new long[] {1, 3, 96, 64}))
        .isEqualTo(Layout.channelsLast());
  }

  @Test
  void channels_last_should_be_turned() {
    LayerTensors layer =
        LayerTensors.of("f", Tensor.ofFloats(new float[] {1, 3, 2, 4}, 1, 1, 2, 2), null)
            .withLayout(Layout.channelsLast());
    assertThat(layer.sample(0, new long[] {1, 3, 8, 16}).activation()).containsExactly(1, 2, 3, 4);
  }

  @Test
  void signal_and_volume_should_be_channels_first() {
    assertThat(Layout.detect("conv", new long[] {1, 32, 128}, new long[] {1, 4, 512}))
        .isEqualTo(Layout.channelsFirst());
    assertThat(Layout.detect("conv", new long[] {1, 24, 4, 5, 6}, new long[] {1, 1, 16, 20, 24}))
        .isEqualTo(Layout.channelsFirst());
  }

  @Test
  void layer_without_spatial_extent_should_be_refused() {
    assertThatThrownBy(() -> Layout.detect("fc", new long[] {1, 1000}, new long[] {1, 3, 224, 224}))
        .isInstanceOf(CamException.class)
        .hasMessage(
            "layer fc has an output of shape [1, 1000] without spatial extent, so there is no map"
                + " of it; choose an earlier layer");
    LayerTensors pooled =
        LayerTensors.of("avgpool", Tensor.ofFloats(new float[8], 1, 8, 1, 1), null);
    assertThatThrownBy(() -> pooled.sample(0, new long[] {1, 3, 224, 224}))
        .isInstanceOf(CamException.class)
        .hasMessageContaining(
            "with a single position, so there is no map of it; choose an earlier");
  }

  @Test
  void text_should_be_read_and_written() {
    for (String text : List.of("channels-first", "channels-last", "tokens:14x14+1")) {
      assertThat(Layout.parse(text)).hasToString(text);
    }
    assertThatThrownBy(() -> Layout.parse("tokens"))
        .isInstanceOf(CamException.class)
        .hasMessage(
            "layout 'tokens': expected channels-first, channels-last or tokens:HEIGHTxWIDTH+SKIP");
  }
}
