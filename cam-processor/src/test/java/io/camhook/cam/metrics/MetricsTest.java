package io.camhook.cam.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.camhook.cam.CamException;
import io.camhook.cam.FloatMap;
import io.camhook.cam.model.ForwardModel;
import io.camhook.cam.model.ModelRun;
import io.camhook.cam.model.RunOptions;
import io.camhook.cam.targets.Targets;
import io.camhook.recording.Tensor;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class MetricsTest {
  @Test
  void imputer_should_solve_for_the_weighted_neighbours() {
    // 1 x 3 with the middle missing: (2/6 + 4/6) / (1/6 + 1/6) = 3.
    float[] row = {2, 9, 4};
    assertThat(new LinearImputer(new boolean[] {false, true, false}, 1, 3).impute(row))
        .containsExactly(2, 3, 4);
    // 1 x 4 with two missing between 0 and 3: a = (0 + b)/2, b = (a + 3)/2: 1, 2.
    float[] line =
        new LinearImputer(new boolean[] {false, true, true, false}, 1, 4)
            .impute(new float[] {0, 7, 7, 3});
    assertThat(line[1]).isCloseTo(1f, within(1e-6f));
    assertThat(line[2]).isCloseTo(2f, within(1e-6f));
  }

  @Test
  void imputer_should_leave_nothing_of_a_picture_without_known_pixels() {
    assertThat(new LinearImputer(new boolean[] {true, true}, 1, 2).impute(new float[] {2, 9}))
        .containsExactly(0, 0);
  }

  @Test
  void percentile_should_interpolate() {
    // Of (1, 2, 3, 4) the 50th is at 1.5: 2.5.
    assertThat(Percentiles.of(new float[] {4, 1, 3, 2}, 50)).isEqualTo(2.5);
  }

  @Test
  void area_should_be_that_of_trapezoids() {
    // 0.5 * (1 + 0.5)/2 + 0.5 * 0.5/2
    assertThat(DeletionInsertion.area(new double[] {0, 0.5, 1}, new double[] {1, 0.5, 0}))
        .isCloseTo(0.5, within(1e-12));
  }

  @Test
  void confidence_should_tell_drop_from_increase() {
    Confidence fell = new Confidence(0.8, 0.6);
    Confidence rose = new Confidence(0.5, 0.7);
    assertThat(fell.drop()).isCloseTo(0.2, within(1e-12));
    assertThat(fell.relativeDrop()).isCloseTo(0.25, within(1e-6));
    assertThat(fell.increased()).isFalse();
    assertThat(rose.drop()).isZero();
    assertThat(rose.increased()).isTrue();
    assertThat(rose.wins(fell)).isTrue();
  }

  @Test
  void localization_should_measure_against_the_mask() {
    // At or above half of 1: pixels 0, 1. Mask: 1, 2. Intersection 1, union 3; energy 0.6 / 1.6 +
    // ...
    FloatMap heat = FloatMap.of(new float[] {1, 0.6f, 0.4f, 0}, 2, 2);
    Localization found = Localization.of(heat, new boolean[] {false, true, true, false});
    assertThat(found.hit()).isFalse();
    assertThat(found.iou()).isCloseTo(1 / 3.0, within(1e-12));
    assertThat(found.energy()).isCloseTo(0.5, within(1e-7));
    assertThat(Localization.of(heat, Localization.box(2, 2, 0, 0, 2, 1)).hit()).isTrue();
  }

  @Test
  void blank_heatmap_should_hit_nothing() {
    FloatMap blank = FloatMap.of(new float[4], 2, 2);
    Localization found = Localization.of(blank, new boolean[] {true, false, false, false});
    assertThat(found).isEqualTo(new Localization(false, 0, 0));
  }

  @Test
  void mask_of_the_wrong_size_should_be_refused() {
    FloatMap heat = FloatMap.of(new float[4], 2, 2);
    assertThatThrownBy(() -> Localization.of(heat, new boolean[9]))
        .isInstanceOf(CamException.class)
        .hasMessage(
            "a mask of 9 pixels does not fit a heatmap of [2, 2]; give it at the size of the"
                + " input");
    assertThatThrownBy(() -> Localization.box(4, 4, 2, 2, 5, 3))
        .isInstanceOf(CamException.class)
        .hasMessageContaining("does not lie inside a picture of 4x4");
  }

  @Test
  void rank_correlation_should_see_only_the_order() {
    FloatMap a = FloatMap.of(new float[] {1, 2, 3, 4}, 4);
    FloatMap cubes = FloatMap.of(new float[] {1, 8, 27, 64}, 4);
    assertThat(MapSimilarity.rankCorrelation(a, cubes)).isCloseTo(1, within(1e-12));
    assertThat(MapSimilarity.rankCorrelation(a, cubes.negated())).isCloseTo(-1, within(1e-12));
    // (1, 2, 3) with (1, 3, 2): 1 - 6 * 2 / (3 * 8) = 0.5.
    assertThat(
            MapSimilarity.rankCorrelation(
                FloatMap.of(new float[] {1, 2, 3}, 3), FloatMap.of(new float[] {1, 3, 2}, 3)))
        .isCloseTo(0.5, within(1e-12));
  }

  @Test
  void sensitivity_should_be_the_relative_change() {
    Tensor input = Tensor.ofFloats(new float[] {1, 1}, 1, 1, 2);
    // h(x) = x: |d| / |x| <= 0.02 in each of two equal values, so at most 0.02.
    double sensitivity = MaxSensitivity.of(input, x -> FloatMap.of(x.toFloats(), 2), 1);
    assertThat(sensitivity).isBetween(0.005, 0.02001);
    assertThat(MaxSensitivity.of(input, x -> FloatMap.of(new float[] {1, 0}, 2), 1)).isZero();
  }

  @Test
  void sensitivity_should_be_that_of_the_worst_perturbation() {
    // (3, 4) has length 5; the n-th of ten perturbations moves it by n (0.06, 0.08), length n / 10:
    // at worst 1, of 5.
    Tensor input = Tensor.ofFloats(new float[] {1, 1}, 1, 1, 2);
    int[] calls = {0};
    double sensitivity =
        MaxSensitivity.of(
            input,
            x -> {
              int n = calls[0]++;
              // Uniform in +-0.02 around the input.
              assertThat(x.toFloats()[0]).isBetween(0.98f, 1.02f);
              return FloatMap.of(new float[] {3 + n * 0.06f, 4 + n * 0.08f}, 2);
            },
            1);
    assertThat(calls[0]).isEqualTo(11);
    assertThat(sensitivity).isCloseTo(0.2, within(1e-6));
  }

  @Test
  void sensitivity_should_be_infinite_where_nothing_becomes_something() {
    Tensor input = Tensor.ofFloats(new float[] {1, 1}, 1, 1, 2);
    int[] calls = {0};
    double sensitivity =
        MaxSensitivity.of(input, x -> FloatMap.of(new float[] {calls[0]++, 0}, 2), 1);
    assertThat(sensitivity).isInfinite();
  }

  @Test
  void confidence_should_run_the_input_under_its_heatmap() {
    // Score x0 + 2 x1 of (3, 1): 5; under (1/2, 1): 1.5 + 2 = 3.5: drop 1.5, relative 0.3.
    Confidence confidence = Confidence.of(run(3, 1), FloatMap.of(new float[] {0.5f, 1}, 1, 2));
    assertThat(confidence.before()).isEqualTo(5);
    assertThat(confidence.drop()).isCloseTo(1.5, within(1e-6));
    assertThat(confidence.relativeDrop()).isCloseTo(0.3, within(1e-6));
  }

  @Test
  void deletion_and_insertion_should_go_from_the_most_relevant_on() {
    // Score x0 + 2 x1 of (3, 1), pixel 1 first: deleted 5, 3, 0; inserted 0, 2, 5; halves of the
    // way:
    // (5 + 3) / 4 + 3 / 4 = 2.75, 2 / 4 + (2 + 5) / 4 = 2.25.
    DeletionInsertion found =
        DeletionInsertion.of(run(3, 1), FloatMap.of(new float[] {0.2f, 1}, 1, 2));
    assertThat(found.fractions()).containsExactly(0, 0.5, 1);
    assertThat(found.deletion()).containsExactly(5, 3, 0);
    assertThat(found.insertion()).containsExactly(0, 2, 5);
    assertThat(found.deletionAuc()).isCloseTo(2.75, within(1e-12));
    assertThat(found.insertionAuc()).isCloseTo(2.25, within(1e-12));
  }

  @Test
  void road_should_remove_the_most_and_the_least_relevant() {
    // Pixels 1 to 5 of relevance 0, 1/4 ... 1. At the 50th percentile MoRF misses 3, 4 and 5, which
    // become 2: 15 -> 1 + 2 + 2 + 2 + 2 = 9; LeRF misses 1, 2 and 3, which become 4: 4 * 4 + 5 =
    // 21.
    Tensor input = Tensor.ofFloats(new float[] {1, 2, 3, 4, 5}, 1, 1, 1, 5);
    ModelRun run = new ModelRun(sum(), input, Targets.raw(), RunOptions.forInput(input));
    Road road = Road.of(run, FloatMap.of(new float[] {0, 0.25f, 0.5f, 0.75f, 1}, 1, 5));
    assertThat(road.morf()[4]).isCloseTo(9 - 15, within(1e-5));
    assertThat(road.lerf()[4]).isCloseTo(21 - 15, within(1e-5));
  }

  @Test
  void heatmap_of_another_size_should_be_refused() {
    FloatMap heat = FloatMap.of(new float[9], 3, 3);
    for (Runnable metric :
        List.<Runnable>of(
            () -> Road.of(run(3, 1), heat),
            () -> Confidence.of(run(3, 1), heat),
            () -> DeletionInsertion.of(run(3, 1), heat))) {
      assertThatThrownBy(metric::run)
          .isInstanceOf(CamException.class)
          .hasMessageContaining("[3, 3]")
          .hasMessageContaining("[1, 2]");
    }
  }

  /** Score {@code x0 + 2 x1} of an input of 1 x 2. */
  private static ModelRun run(float... x) {
    Tensor input = Tensor.ofFloats(x, 1, 1, 1, 2);
    return new ModelRun(
        weighted(1, 2), input, Targets.raw(), RunOptions.forInput(input).withBatch(4));
  }

  private static ForwardModel sum() {
    return weighted(1, 1, 1, 1, 1);
  }

  private static ForwardModel weighted(float... weights) {
    return new ForwardModel() {
      @Override
      public Tensor outputs(Tensor input) {
        float[] x = input.toFloats();
        float[] out = new float[(int) input.size(0)];
        for (int i = 0; i < x.length; i++) {
          out[i / weights.length] += weights[i % weights.length] * x[i];
        }
        return Tensor.ofFloats(out, out.length, 1);
      }

      @Override
      public Tensor outputsFrom(String path, Tensor activation, Tensor input) {
        throw new UnsupportedOperationException();
      }
    };
  }

  @Test
  void sanity_check_should_randomise_from_the_output_and_restore() {
    List<String> calls = new ArrayList<>();
    SanityCheck check =
        SanityCheck.of(
            new SanityCheck.Subject() {
              private float sign = 1;

              @Override
              public List<String> layersFromOutput() {
                return List.of("fc", "conv");
              }

              @Override
              public void randomize(String layer, long seed) {
                calls.add(layer);
                sign = layer.equals("conv") ? -1 : 1;
              }

              @Override
              public FloatMap heatmap() {
                return FloatMap.of(new float[] {sign, 2 * sign, 3 * sign}, 3);
              }

              @Override
              public void restore() {
                calls.add("restore");
              }
            },
            0);
    assertThat(calls).containsExactly("fc", "conv", "restore");
    assertThat(check.curve()).extracting(SanityCheck.Entry::layer).containsExactly("fc", "conv");
    assertThat(check.curve().get(0).similarity()).isCloseTo(1, within(1e-12));
    assertThat(check.curve().get(1).similarity()).isCloseTo(-1, within(1e-12));
  }
}
