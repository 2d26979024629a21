package io.camhook.cam;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.camhook.recording.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What must hold for any activation and gradient. */
class InvariantsTest {
  private static final int CHANNELS = 6;
  private static final int[] SPATIAL = {4, 5};
  private static final int POSITIONS = 20;
  private static final long[] INPUT = {1, 3, 16, 20};
  private static final int ROUNDS = 20;

  static Stream<CamMethod> methods() {
    return CamMethods.ids().stream().map(CamMethods::byId);
  }

  static Stream<CamMethod> methods_that_add_up_channels() {
    // Random weights are drawn per channel, so a permutation draws others.
    return methods().filter(method -> !method.id().equals("randomcam"));
  }

  @Test
  void gradcam_should_be_cam_up_to_a_factor_behind_global_average_pooling() {
    // Score = sum_k w_k mean_p A_k, so g = w_k / P everywhere and Grad-CAM is CAM / P.
    for (int round = 0; round < ROUNDS; round++) {
      Random random = new Random(round);
      float[] a = normal(random, CHANNELS * POSITIONS);
      float[] row = normal(random, CHANNELS);
      float[] g = new float[a.length];
      for (int i = 0; i < g.length; i++) {
        g[i] = row[i / POSITIONS] / POSITIONS;
      }
      LayerSample sample = new LayerSample("conv", CHANNELS, SPATIAL, a, g, null, row, null);
      float[] cam = CamMethods.byId("cam").raw(sample).values();
      float[] gradCam = CamMethods.byId("gradcam").raw(sample).values();
      for (int p = 0; p < cam.length; p++) {
        assertThat(gradCam[p] * POSITIONS).isCloseTo(cam[p], within(1e-5f));
      }
    }
  }

  @Test
  void gradcam_should_be_cam_up_to_a_factor_on_a_real_network_with_such_a_head() {
    ReferenceCase reference = ReferenceCase.named("gap_linear_cam");
    LayerSample sample = reference.layers().get(0).sample(0, reference.inputShape());
    float[] cam = CamMethods.byId("cam").raw(sample).values();
    float[] gradCam = CamMethods.byId("gradcam").raw(sample).values();
    for (int p = 0; p < cam.length; p++) {
      assertThat(gradCam[p] * sample.positions()).isCloseTo(cam[p], within(1e-5f));
    }
  }

  @Test
  void hirescam_should_be_gradcam_where_the_gradient_is_constant_over_space() {
    for (int round = 0; round < ROUNDS; round++) {
      Random random = new Random(round);
      float[] a = normal(random, CHANNELS * POSITIONS);
      float[] perChannel = normal(random, CHANNELS);
      float[] g = new float[a.length];
      for (int i = 0; i < g.length; i++) {
        g[i] = perChannel[i / POSITIONS];
      }
      LayerSample sample = LayerSample.of("conv", SPATIAL, a, g);
      assertThat(CamMethods.byId("hirescam").raw(sample).values())
          .usingComparatorWithPrecision(1e-5f)
          .containsExactly(CamMethods.byId("gradcam").raw(sample).values());
    }
  }

  @ParameterizedTest
  @MethodSource("methods_that_add_up_channels")
  void order_of_channels_should_not_matter(CamMethod method) {
    for (int round = 0; round < ROUNDS; round++) {
      LayerSample sample = random(round);
      int[] order = new int[CHANNELS];
      for (int k = 0; k < CHANNELS; k++) {
        order[k] = (5 * k + round) % CHANNELS;
      }
      FloatMap map = method.raw(sample);
      // Sums in another order: float32 terms up to the map's size. Not closer for kernel PCA, whose
      // eigenvector is found by iteration.
      assertThat(Maps.difference(method.raw(permuted(sample, order)), map))
          .isLessThanOrEqualTo(1e-5 * Math.max(1, Maps.magnitude(map)));
    }
  }

  @ParameterizedTest
  @MethodSource("methods")
  void heatmap_should_lie_between_0_and_1(CamMethod method) {
    for (int round = 0; round < ROUNDS; round++) {
      CamResult result = Heatmaps.standard().one(method, tensors(random(round)), INPUT, 0);
      assertThat(result.heatmap().shape()).containsExactly(16, 20);
      for (float v : result.heatmap().values()) {
        assertThat(v).isBetween(0f, 1f);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("methods")
  void constant_map_should_stay_finite(CamMethod method) {
    for (float constant : new float[] {0, 1, -3}) {
      float[] a = new float[CHANNELS * POSITIONS];
      Arrays.fill(a, constant);
      LayerSample sample = all(a, a.clone(), new float[CHANNELS]);
      CamResult result = Heatmaps.standard().one(method, tensors(sample), INPUT, 0);
      for (float v : result.heatmap().values()) {
        assertThat(v).isBetween(0f, 1f);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("methods")
  void nan_and_infinity_should_be_reported_and_not_drawn(CamMethod method) {
    Set<Requirement> needs = method.needs();
    for (float broken : new float[] {Float.NaN, Float.POSITIVE_INFINITY}) {
      float[] a = random(1).activation().clone();
      a[7] = broken;
      assertReported(method, all(a, new float[a.length], new float[CHANNELS]), "activation");
      if (needs.contains(Requirement.GRADIENT)) {
        assertReported(method, all(new float[a.length], a, new float[CHANNELS]), "gradient");
      }
    }
  }

  private static void assertReported(CamMethod method, LayerSample sample, String what) {
    assertThatThrownBy(() -> Heatmaps.standard().one(method, tensors(sample), INPUT, 0))
        .isInstanceOf(CamException.class)
        .hasMessageContaining("the " + what + " of layer conv holds ")
        .hasMessageContaining(" of 120 values")
        .hasMessageContaining("the first at 7; no heatmap is drawn from them")
        .hasMessageContaining("nan-guard");
  }

  @Test
  void overflow_inside_a_method_should_be_reported_and_not_drawn() {
    // Finite A and g whose product is not: 1e30 * 1e30.
    float[] huge = new float[CHANNELS * POSITIONS];
    Arrays.fill(huge, 1e30f);
    LayerSample sample = all(huge, huge, new float[CHANNELS]);
    assertThatThrownBy(
            () -> Heatmaps.standard().one(CamMethods.byId("hirescam"), tensors(sample), INPUT, 0))
        .isInstanceOf(CamException.class)
        .hasMessageContaining("the hirescam map of layer conv holds 0 NaN and 20 infinite");
  }

  @ParameterizedTest
  @MethodSource("methods")
  void same_input_should_give_the_same_map(CamMethod method) {
    assertThat(method.raw(random(3)).values()).isEqualTo(method.raw(random(3)).values());
  }

  @Test
  void eigen_maps_should_be_bright_where_the_layer_is_active() {
    // The sign rule: the map correlates with the sum over the channels.
    for (int round = 0; round < ROUNDS; round++) {
      LayerSample sample = random(round);
      for (String id : List.of("eigencam", "kpcacam")) {
        float[] map = CamMethods.byId(id).raw(sample).values();
        double covariance = 0;
        for (int p = 0; p < POSITIONS; p++) {
          for (int k = 0; k < CHANNELS; k++) {
            // The map's mean is 0, so the activity need not be centred.
            covariance += (double) map[p] * sample.activation()[k * POSITIONS + p];
          }
        }
        assertThat(covariance).as(id).isPositive();
      }
    }
  }

  @Test
  void sign_should_be_that_of_the_largest_value_where_nothing_correlates() {
    // Two channels that cancel each other: the sum is 0 everywhere. Projection +-(2, -1, -1) * sqrt
    // 2.
    float[] a = {2, -1, -1, -2, 1, 1};
    float[] map =
        CamMethods.byId("eigencam").raw(LayerSample.of("conv", new int[] {1, 3}, a, null)).values();
    float root = (float) Math.sqrt(2);
    assertThat(map).usingComparatorWithPrecision(1e-6f).containsExactly(2 * root, -root, -root);
  }

  @Test
  void layers_should_be_averaged_as_scaled_maps() {
    // (0, 4) and (4, 0) become (0, 1) and (1, 0): mean (1/2, 1/2), which is constant and so 0; with
    // a third layer (0, 1): (1/3, 2/3), scaled (0, 1).
    List<FloatMap> two =
        List.of(FloatMap.of(new float[] {0, 4}, 1, 2), FloatMap.of(new float[] {4, 0}, 1, 2));
    assertThat(Heatmaps.standard().heatmap(two, new int[] {1, 2}).values())
        .usingComparatorWithPrecision(1e-6f)
        .containsExactly(0, 0);
    List<FloatMap> three = new ArrayList<>(two);
    three.add(FloatMap.of(new float[] {0, 1}, 1, 2));
    assertThat(Heatmaps.standard().heatmap(three, new int[] {1, 2}).values())
        .usingComparatorWithPrecision(1e-6f)
        .containsExactly(0, 1);
  }

  @Test
  void layers_should_be_multiplied_by_refinecam() {
    // (0, 1, 2) -> (0, 1/2, 1); (3, 3, 0) -> (1, 1, 0): product (0, 1/2, 0), scaled (0, 1, 0).
    List<FloatMap> maps =
        List.of(FloatMap.of(new float[] {0, 1, 2}, 1, 3), FloatMap.of(new float[] {3, 3, 0}, 1, 3));
    Heatmaps product = Heatmaps.standard().withAggregation(Aggregation.PRODUCT);
    assertThat(product.heatmap(maps, new int[] {1, 3}).values())
        .usingComparatorWithPrecision(1e-6f)
        .containsExactly(0, 1, 0);
    assertThat(CamMethods.byId("refinecam").aggregation()).contains(Aggregation.PRODUCT);
  }

  @Test
  void scaled_maximum_should_boost_and_take_the_larger() {
    // tanh(2 m) of (0, 1/2, 1) and (1, 0, 0); the maximum (tanh 2, tanh 1, tanh 2), scaled.
    List<FloatMap> maps =
        List.of(FloatMap.of(new float[] {0, 1, 2}, 1, 3), FloatMap.of(new float[] {3, 0, 0}, 1, 3));
    Heatmaps fused = Heatmaps.standard().withAggregation(Aggregation.SCALED_MAX);
    FloatMap before = Aggregation.SCALED_MAX.aggregate(maps, new int[] {1, 3});
    float tanh1 = (float) Math.tanh(1);
    float tanh2 = (float) Math.tanh(2);
    assertThat(before.values())
        .usingComparatorWithPrecision(1e-6f)
        .containsExactly(tanh2, tanh1, tanh2);
    assertThat(fused.heatmap(maps, new int[] {1, 3}).values())
        .usingComparatorWithPrecision(1e-6f)
        .containsExactly(1, 0, 1);
  }

  @Test
  void eigen_smoothing_should_project_the_terms_of_a_sum() {
    // Layer-CAM's terms max(g, 0) A: channel 0 (2, 0), channel 1 (0, 2); centred (1, -1), (-1, 1):
    // the
    // positions are +-(1, -1), length sqrt 2 along v1; the channel sum is equal, so the largest
    // value
    // (the first) decides: positive.
    Heatmaps smooth = Heatmaps.standard().withEigenSmooth(true);
    CamResult result =
        smooth.one(
            CamMethods.byId("layercam"),
            List.of(
                LayerTensors.of(
                    "conv",
                    Tensor.ofFloats(new float[] {1, 3, 2, 2}, 1, 2, 1, 2),
                    Tensor.ofFloats(new float[] {2, -1, 0, 1}, 1, 2, 1, 2))),
            new long[] {1, 3, 1, 2},
            0);
    float[] raw = result.raw().get("conv").values();
    assertThat(Math.abs(raw[0])).isCloseTo((float) Math.sqrt(2), within(1e-6f));
    assertThat(raw[1]).isCloseTo(-raw[0], within(1e-6f));
  }

  private static LayerSample random(int seed) {
    Random random = new Random(seed);
    float[] a = normal(random, CHANNELS * POSITIONS);
    return all(a, normal(random, a.length), normal(random, CHANNELS));
  }

  /** A sample with everything that any method needs. */
  private static LayerSample all(float[] a, float[] g, float[] row) {
    return new LayerSample("conv", CHANNELS, SPATIAL, a, g, g, row, g);
  }

  private static List<LayerTensors> tensors(LayerSample s) {
    Tensor g = tensor(s.gradient());
    return List.of(
        LayerTensors.of(s.path(), tensor(s.activation()), g)
            .withFinerGradient(g)
            .withCurvature(g)
            .withClassifierRows(Tensor.ofFloats(s.classifierRow(), 1, CHANNELS)));
  }

  private static Tensor tensor(float[] values) {
    return Tensor.ofFloats(values, 1, CHANNELS, SPATIAL[0], SPATIAL[1]);
  }

  private static LayerSample permuted(LayerSample s, int[] order) {
    float[] row = new float[CHANNELS];
    float[] a = new float[s.activation().length];
    float[] g = new float[a.length];
    for (int k = 0; k < CHANNELS; k++) {
      row[k] = s.classifierRow()[order[k]];
      System.arraycopy(s.activation(), order[k] * POSITIONS, a, k * POSITIONS, POSITIONS);
      System.arraycopy(s.gradient(), order[k] * POSITIONS, g, k * POSITIONS, POSITIONS);
    }
    return all(a, g, row);
  }

  private static float[] normal(Random random, int size) {
    float[] values = new float[size];
    for (int i = 0; i < size; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }
}
