package io.camhook.cam;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

/** One fixture per method, worked out by hand. */
class MethodFixturesTest {
  // Two channels over 1 x 2 positions: A0 = (1, 3), A1 = (2, 2); g0 = (2, -1), g1 = (0, 1).
  private static final float[] A = {1, 3, 2, 2};
  private static final float[] G = {2, -1, 0, 1};
  private static final LayerSample SAMPLE = LayerSample.of("conv", new int[] {1, 2}, A, G);

  @Test
  void hirescam_should_sum_the_products() {
    // (2*1 + 0*2, -1*3 + 1*2)
    assertMap("hirescam", 2, -1);
  }

  @Test
  void gradcam_elementwise_should_sum_the_positive_products() {
    // (max(2,0) + max(0,0), max(-3,0) + max(2,0))
    assertMap("gradcam-elementwise", 2, 2);
  }

  @Test
  void layercam_should_weigh_by_positive_gradients() {
    // (2*1 + 0*2, 0*3 + 1*2)
    assertMap("layercam", 2, 2);
  }

  @Test
  void xgradcam_should_weigh_by_the_activity_weighted_gradient() {
    // w0 = (2*1 - 1*3) / 4 = -1/4; w1 = (0*2 + 1*2) / 4 = 1/2: (-1/4 + 1, -3/4 + 1)
    assertMap("xgradcam", 0.75, 0.25);
  }

  @Test
  void gradcam_plus_plus_should_weigh_by_its_alpha() {
    // Channel 0, sum A = 4: g = 2: alpha = 4 / (8 + 4*8) = 0.1, times 2 = 0.2; g = -1 gives 0.
    // Channel 1, sum A = 4: g = 1: alpha = 1 / (2 + 4) = 1/6, times 1.
    assertMap("gradcam++", 0.2 + 2 / 6.0, 0.6 + 2 / 6.0);
  }

  @Test
  void refinecam_should_be_gradcam_plus_plus_of_each_layer() {
    assertMap("refinecam", 0.2 + 2 / 6.0, 0.6 + 2 / 6.0);
  }

  @Test
  void eigencam_should_project_on_the_first_component() {
    // Centred: channel 0 (-1, 1), channel 1 (0, 0): v1 = (1, 0); positive where A is larger.
    assertMap("eigencam", -1, 1);
  }

  @Test
  void eigengradcam_should_project_the_products() {
    // g*A: channel 0 (2, -3), channel 1 (0, 2); centred (2.5, -2.5), (-1, 1): positions +-(2.5,
    // -1),
    // length sqrt(7.25), along v1 = (2.5, -1) / sqrt(7.25). The channel sum is larger at position
    // 0.
    assertMap("eigengradcam", Math.sqrt(7.25), -Math.sqrt(7.25));
  }

  @Test
  void segeigencam_should_have_its_largest_magnitude_positive() {
    // |g|*A over 1 x 3: one channel (4, 1, 1) - 2 = (2, -1, -1): max 2 > 1.
    LayerSample sample =
        LayerSample.of("conv", new int[] {1, 3}, new float[] {2, 1, 1}, new float[] {-2, 1, -1});
    assertValues(CamMethods.byId("segeigencam").raw(sample), 2, -1, -1);
    // (1, 4, 4) - 3 = (-2, 1, 1): flipped.
    sample =
        LayerSample.of("conv", new int[] {1, 3}, new float[] {1, 2, 2}, new float[] {-1, 2, -2});
    assertValues(CamMethods.byId("segeigencam").raw(sample), 2, -1, -1);
  }

  @Test
  void kpcacam_should_take_the_first_kernel_component() {
    // Centred rows (-1, 0) and (1, 0): K = [[a, b], [b, a]], a = tanh(1/2 + 1), b = tanh(-1/2 + 1).
    // Double centring gives (a - b)/2 [[1, -1], [-1, 1]] with eigenvalue a - b, vector (-1,
    // 1)/sqrt(2).
    double value = Math.sqrt((Math.tanh(1.5) - Math.tanh(0.5)) / 2);
    assertMap("kpcacam", -value, value);
  }

  @Test
  void fem_should_weigh_by_the_fraction_of_strong_positions() {
    // One channel, 8 positions, 7 zeros and an 8: mean 1, std sqrt((7*1 + 49)/8) = sqrt(7) = 2.65;
    // 8 > 1 + 5.29 at one of 8 positions: w = 1/8, raw = 8/8 there.
    float[] a = {0, 0, 0, 8, 0, 0, 0, 0};
    FloatMap raw = CamMethods.byId("fem").raw(LayerSample.of("conv", new int[] {2, 4}, a, null));
    assertValues(raw, 0, 0, 0, 1, 0, 0, 0, 0);
  }

  @Test
  void finercam_should_be_gradcam_of_its_own_gradient() {
    LayerSample sample =
        new LayerSample("conv", 2, new int[] {1, 2}, A, G, new float[] {1, 3, -1, -1}, null, null);
    // w = (2, -1): (2*1 - 2, 2*3 - 2)
    assertValues(CamMethods.byId("finercam").raw(sample), 0, 4);
    assertThatThrownBy(() -> CamMethods.byId("finercam").raw(SAMPLE))
        .isInstanceOf(CamException.class)
        .hasMessageContaining("camhook explain -m finercam");
  }

  @Test
  void shapleycam_should_take_half_the_curvature_off() {
    LayerSample sample =
        new LayerSample("conv", 2, new int[] {1, 2}, A, G, null, null, new float[] {1, 1, 2, 0});
    // Means of g (0.5, 0.5), of HA (1, 1): w = (0, 0).
    assertValues(CamMethods.byId("shapleycam").raw(sample), 0, 0);
  }

  @Test
  void shapleycam_should_refuse_where_the_curvature_is_not_provably_zero() {
    // Row (1, 1) would make g 0.5 everywhere.
    LayerSample sample =
        new LayerSample("conv", 2, new int[] {1, 2}, A, G, null, new float[] {1, 1}, null);
    assertThatThrownBy(() -> CamMethods.byId("shapleycam").raw(sample))
        .isInstanceOf(CamException.class)
        .hasMessageContaining("Hessian-vector product")
        .hasMessageContaining("camhook explain -m shapleycam");
  }

  @Test
  void randomcam_should_give_the_same_sample_the_same_weights() {
    CamMethod random = CamMethods.byId("randomcam");
    double[] weights = ((ChannelWeighted) random).weights(SAMPLE);
    assertThat(weights).containsExactly(((ChannelWeighted) random).weights(SAMPLE));
    for (double weight : weights) {
      assertThat(weight).isBetween(-1.0, 1.0);
    }
    LayerSample other = LayerSample.of("other", new int[] {1, 2}, A, G);
    assertThat(((ChannelWeighted) random).weights(other)).isNotEqualTo(weights);
  }

  private static void assertMap(String id, double... expected) {
    assertValues(CamMethods.byId(id).raw(SAMPLE), expected);
  }

  private static void assertValues(FloatMap map, double... expected) {
    assertThat(map.values()).hasSize(expected.length);
    for (int i = 0; i < expected.length; i++) {
      assertThat((double) map.values()[i]).as("value %d", i).isCloseTo(expected[i], within(1e-6));
    }
  }
}
