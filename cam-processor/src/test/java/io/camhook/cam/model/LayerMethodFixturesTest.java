package io.camhook.cam.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.camhook.cam.CamException;
import io.camhook.cam.CamResult;
import io.camhook.cam.Heatmaps;
import io.camhook.cam.LayerTensors;
import io.camhook.cam.Layout;
import io.camhook.cam.targets.ScoreTarget;
import io.camhook.cam.targets.Targets;
import io.camhook.recording.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import org.junit.jupiter.api.Test;

/** One fixture per method that weighs a layer's channels by running the model, done by hand. */
class LayerMethodFixturesTest {
  private static final float LN3 = (float) Math.log(3);

  // Over 1 x 2 positions A0 = (0, 2) and A1 = (3, 1): as masks (0, 1) and (1, 0).
  private static final LayerTensors MASKS = layer(0, 2, 3, 1);

  @Test
  void scorecam_should_weigh_by_the_softmax_of_masked_scores() {
    // The score adds up the input (ln 3, 0): 0 under mask 0, ln 3 under mask 1: w = (1/4, 3/4).
    // raw = (0 + 9/4, 2/4 + 3/4)
    assertRaw(explain(new ScoreCam(), sum(), input(LN3, 0), MASKS), 2.25, 1.25);
  }

  @Test
  void iscam_should_average_over_its_growing_coefficients() {
    // The coefficients are 1/10, 3/10, 6/10 ... 55/10, their mean 220/100 = 2.2: the mean scores
    // are 2.2 x0 = ln 3 for mask 1 and 0 for mask 0, so w and raw are those of Score-CAM above.
    assertRaw(explain(new IsCam(), sum(), input(LN3 / 2.2f, 0), MASKS), 2.25, 1.25);
  }

  @Test
  void sscam_should_be_scorecam_without_noise() {
    assertRaw(explain(new SsCam(0), sum(), input(LN3, 0), MASKS), 2.25, 1.25);
  }

  @Test
  void sscam_should_average_its_noise_out() {
    // A linear score of masks with noise has the mean of Score-CAM. Over 20000 samples the standard
    // deviation of a mean score is 2 ln 3 / sqrt(20000) = 0.0155, of their difference 0.022; w1
    // moves
    // by w0 w1 = 3/16 of it, raw by at most 3 times that: 0.0124. Five of them:
    double tolerance = 0.062;
    CamResult result = explain(new SsCam(2), sum(), input(LN3, 0), MASKS, 20_000);
    assertThat((double) result.raw().get("conv").values()[0]).isCloseTo(2.25, within(tolerance));
    assertThat((double) result.raw().get("conv").values()[1]).isCloseTo(1.25, within(tolerance));
  }

  @Test
  void sscam_should_square_its_noise_where_the_score_does() {
    // Score (sum x M)^2 of the input (1, 0): mean M0^2 + sigma^2 over the noise: the masks' 0 and 1
    // become s^2 and 1 + s^2, whose softmax weights are 1 / (1 + e) and e / (1 + e). Noise that was
    // not drawn anew for every pixel and sample would not average to this. The standard deviation
    // of
    // (1 + s n)^2 with s = 1/2 is sqrt(4 s^2 + 2 s^4) = 1.06, over 20000 samples 0.0075; of w1
    // 0.0075 * 0.2 * sqrt(2); times 3, five of them:
    double tolerance = 0.032;
    HandModel squared =
        new HandModel() {
          @Override
          double score(float[] x) {
            return (x[0] + x[1]) * (x[0] + x[1]);
          }
        };
    CamResult result = explain(new SsCam(0.5), squared, input(1, 0), MASKS, 20_000);
    double w1 = Math.E / (1 + Math.E);
    assertThat((double) result.raw().get("conv").values()[0]).isCloseTo(3 * w1, within(tolerance));
  }

  @Test
  void sscam_should_repeat_itself_for_the_same_seed() {
    assertThat(explain(new SsCam(), sum(), input(LN3, 1), MASKS).raw().get("conv").values())
        .isEqualTo(explain(new SsCam(), sum(), input(LN3, 1), MASKS).raw().get("conv").values());
  }

  @Test
  void ablationcam_should_weigh_by_the_share_of_the_score_that_is_lost() {
    // A0 = (1, 3), A1 = (0, 2), score 1 * mean A0 + 2 * mean A1 = 2 + 2. The smallest value is 0,
    // so ablated is 0: either channel alone keeps 2 of 4: w = (1/2, 1/2).
    LayerTensors layer = layer(1, 3, 0, 2);
    assertRaw(explain(new AblationCam(), pooled(), input(0, 0), layer), 0.5, 2.5);
  }

  @Test
  void ablationcam_should_ablate_far_below_where_activations_are_negative() {
    // A0 = (-1, 3), A1 = (0, 2): score 1 + 2 = 3. Channel 0 at -1 - 1e7 leaves -10000001 + 2, so
    // w0 = (3 + 9999999) / 3 = 3333334. Channel 1, second in the batch, at -1 - 2e7 leaves
    // 1 - 2 * 20000001, so w1 = (3 - 1 + 40000002) / 3 = 13333334.67. One part in 1e6: float32.
    CamResult result = explain(new AblationCam(), pooled(), input(0, 0), layer(-1, 3, 0, 2));
    float[] raw = result.raw().get("conv").values();
    assertThat(raw[0] / -3333334.0).isCloseTo(1, within(1e-6));
    assertThat(raw[1] / (3 * 3333334.0 + 2 * 13333334.67)).isCloseTo(1, within(1e-6));
  }

  @Test
  void ablationcam_should_run_nothing_again_where_the_model_is_affine_in_the_means() {
    // Four channels with means 2, 1, 1, 3, weights 1, 2, 0, 1 and bias 3: score 2 + 2 + 0 + 3 + 3 =
    // 10; ablated to 0 they lose 2, 2, 0, 3: w = (0.2, 0.2, 0, 0.3), raw as their sum over A.
    LayerTensors layer = fourChannels();
    MeansModel model = new MeansModel(1, 2, 0, 1);
    assertRaw(
        explain(new AblationCam(), model, input(0, 0), layer), 0.2 + 0.3 * 6, 0.2 * 3 + 0.2 * 2);
    assertThat(model.batches).as("the last channel and the whole, to be sure").containsExactly(2);
  }

  @Test
  void ablationcam_should_run_the_model_where_what_it_says_of_itself_is_wrong() {
    LayerTensors layer = fourChannels();
    MeansModel model = new MeansModel(1, 2, 0, 2); // says that the last weight is 2, and runs 1
    assertRaw(
        explain(new AblationCam(), model, input(0, 0), layer), 0.2 + 0.3 * 6, 0.2 * 3 + 0.2 * 2);
    assertThat(model.batches).containsExactly(2, 5);
  }

  private static LayerTensors fourChannels() {
    float[] values = {1, 3, 0, 2, 2, 0, 6, 0};
    return LayerTensors.of("conv", Tensor.ofFloats(values, 1, 4, 1, 2), null);
  }

  /** Score 3 + mean A0 + 2 mean A1 + mean A3, with weights that it reports itself. */
  private static final class MeansModel extends HandModel {
    private final float[] said;

    MeansModel(float... said) {
      this.said = said;
    }

    @Override
    double scoreFrom(float[] a) {
      return 3 + (a[0] + a[1]) / 2 + (a[2] + a[3]) + (a[6] + a[7]) / 2;
    }

    @Override
    public Optional<AffineHead> headOfMeans(String path) {
      return Optional.of(
          new AffineHead(Tensor.ofFloats(said, 1, 4), Tensor.ofFloats(new float[] {3}, 1)));
    }
  }

  @Test
  void ablationcam_should_ablate_channels_of_every_layout() {
    // The first fixture with channels last: (1, 0), (3, 2).
    float[] values = {1, 0, 3, 2};
    LayerTensors last =
        LayerTensors.of("conv", Tensor.ofFloats(values, 1, 1, 2, 2), null)
            .withLayout(Layout.channelsLast());
    assertRaw(explain(new AblationCam(), pooledLast(), input(0, 0), last), 0.5, 2.5);
    // And as tokens, the first of which belongs to no position but is ablated with its channel:
    // score (1 + 3 + 5) / 3 + 2 (0 + 2 + 4) / 3 = 3 + 4 = 7: w = (3/7, 4/7).
    LayerTensors tokens =
        LayerTensors.of("conv", Tensor.ofFloats(new float[] {5, 4, 1, 0, 3, 2}, 1, 3, 2), null)
            .withLayout(Layout.tokens(1, 2, 1));
    assertRaw(
        explain(new AblationCam(), pooledLast(), input(0, 0), tokens), 3 / 7.0, (9 + 8) / 7.0);
  }

  @Test
  void ablationcam_should_refuse_a_score_of_zero() {
    assertThatThrownBy(() -> explain(new AblationCam(), pooled(), input(0, 0), layer(0, 0, 0, 0)))
        .isInstanceOf(CamException.class)
        .hasMessageContaining("ablationcam divides by the score, which is 0 for raw score");
  }

  @Test
  void smoothgradcam_should_be_gradcam_plus_plus_of_averaged_powers() {
    // g does not depend on the noise: E[g^n] = g^n. A0 = (1, 3), A1 = (2, 2), g0 = (2, -1),
    // g1 = (0, 1). Channel 0: sum A g^3 = 8 - 3 = 5, alpha = 4 / (8 + 5), times 2: 8/13.
    // Channel 1: sum A g^3 = 2, alpha = 1 / (2 + 2), times 1: 1/4.
    LayerTensors layer = layer(1, 3, 2, 2);
    CamResult result =
        explain(
            new SmoothGradCamPlusPlus(),
            gradients(x -> new float[] {2, -1, 0, 1}),
            input(0, 0),
            layer);
    assertRaw(result, 8 / 13.0 + 2 / 4.0, 24 / 13.0 + 2 / 4.0);
  }

  @Test
  void smoothgradcam_should_average_over_the_noise() {
    // g0 = (n, 0) with n the noise plus 1, g1 = 0, A0 = (2, 0), A1 = 0: moments of a normal
    // variable of mean 1 and s = 0.3: E[g] = 1, E[g^2] = 1.09, E[g^3] = 1 + 3 * 0.09 = 1.27:
    // w0 = 1.09 / (2.18 + 2 * 1.27) * 1. The sampling errors of the moments over 20000 samples are
    // 0.002, 0.004 and 0.007; of the quotient 0.23, relative: below 1 %.
    double expected = 2 * 1.09 / (2 * 1.09 + 2 * 1.27);
    CamResult result =
        explain(
            new SmoothGradCamPlusPlus(0.3),
            gradients(x -> new float[] {x[0], 0, 0, 0}),
            input(1, 0),
            layer(2, 0, 0, 0),
            20_000);
    assertThat((double) result.raw().get("conv").values()[0])
        .isCloseTo(expected, within(0.01 * expected));
  }

  @Test
  void batches_should_be_bounded_and_reported() {
    HandModel model = sum();
    Tensor input = input(LN3, 0);
    List<String> told = new ArrayList<>();
    RunOptions options =
        RunOptions.forInput(input)
            .withBatch(4)
            .withSamples(5)
            .withProgress((method, done, total) -> told.add(method + " " + done + "/" + total));
    ModelRun run = new ModelRun(model, input, Targets.raw(), options);
    new IsCam().explain(run, List.of(MASKS), Heatmaps.standard());
    assertThat(model.batches).containsExactly(4, 4, 2);
    assertThat(told).containsExactly("iscam 4/10", "iscam 8/10", "iscam 10/10");
  }

  @Test
  void strongest_channels_should_be_the_only_ones_run() {
    HandModel model = sum();
    Tensor input = input(LN3, 0);
    ModelRun run =
        new ModelRun(model, input, Targets.raw(), RunOptions.forInput(input).withChannels(1));
    CamResult result = new ScoreCam().explain(run, List.of(MASKS), Heatmaps.standard());
    assertThat(model.batches).containsExactly(1);
    // |A0| = 2 < |A1| = 4: channel 1 alone, with weight 1.
    assertRaw(result, 3, 1);
  }

  @Test
  void scorecam_should_run_dead_channels_once() {
    // Masks (0, 1), 0, 0, (1, 0) over the input (LN3, 0), the score is the sum: s = 0, 0, 0, LN3,
    // so w = 1/6, 1/6, 1/6, 1/2; raw = A0 / 6 + A3 / 2 with A0 = (0, 6), A3 = (2, 0).
    float[] values = {0, 6, 0, 0, 0, 0, 2, 0};
    LayerTensors layer = LayerTensors.of("conv", Tensor.ofFloats(values, 1, 4, 1, 2), null);
    HandModel model = sum();
    assertRaw(explain(new ScoreCam(), model, input(LN3, 0), layer), 1, 1);
    assertThat(model.batches).containsExactly(3);
  }

  @Test
  void scorecam_should_run_equal_and_constant_channels_once() {
    // Masks (0, 1) twice, 0 (a constant) and (1, 0) over the input (LN3, 0): s = 0, 0, 0, LN3.
    // raw = (A0 + A1 + A2) / 6 + A3 / 2 with A0 = A1 = (0, 6), A2 = (3, 3), A3 = (2, 0).
    float[] values = {0, 6, 0, 6, 3, 3, 2, 0};
    LayerTensors layer = LayerTensors.of("conv", Tensor.ofFloats(values, 1, 4, 1, 2), null);
    HandModel model = sum();
    assertRaw(explain(new ScoreCam(), model, input(LN3, 0), layer), 1.5, 2.5);
    assertThat(model.batches).containsExactly(3);
  }

  @Test
  void cancelled_run_should_stop_before_the_next_batch() {
    Tensor input = input(LN3, 0);
    HandModel model = sum();
    RunOptions options =
        RunOptions.forInput(input).withBatch(1).withCancellation(() -> !model.batches.isEmpty());
    ModelRun run = new ModelRun(model, input, Targets.raw(), options);
    assertThatThrownBy(() -> new ScoreCam().explain(run, List.of(MASKS), Heatmaps.standard()))
        .isInstanceOf(CancellationException.class)
        .hasMessage("scorecam was cancelled");
    assertThat(model.batches).hasSize(1);
  }

  private static HandModel sum() {
    return new HandModel() {
      @Override
      double score(float[] x) {
        return (double) x[0] + x[1];
      }
    };
  }

  /** {@code 1 * mean A0 + 2 * mean A1} of channels first. */
  private static HandModel pooled() {
    return new HandModel() {
      @Override
      double score(float[] x) {
        throw new AssertionError("only the part behind the layer is run");
      }

      @Override
      double scoreFrom(float[] a) {
        return ((double) a[0] + a[1]) / 2 + ((double) a[2] + a[3]);
      }
    };
  }

  /** The same of channels last. */
  private static HandModel pooledLast() {
    return new HandModel() {
      @Override
      double scoreFrom(float[] a) {
        double score = 0;
        for (int i = 0; i < a.length; i += 2) {
          score += (a[i] + 2.0 * a[i + 1]) / (a.length / 2);
        }
        return score;
      }
    };
  }

  private interface Gradient {
    float[] of(float[] input);
  }

  private static HandModel gradients(Gradient gradient) {
    return new HandModel() {
      @Override
      public List<LayerTensors> layers(
          Tensor input, List<ScoreTarget> targets, List<String> paths) {
        Tensor g = Tensor.ofFloats(gradient.of(input.toFloats()), 1, 2, 1, 2);
        return List.of(LayerTensors.of(paths.get(0), g, g));
      }
    };
  }

  private static LayerTensors layer(float... a) {
    return LayerTensors.of("conv", Tensor.ofFloats(a, 1, 2, 1, 2), null);
  }

  private static Tensor input(float... x) {
    return Tensor.ofFloats(x, 1, 1, 1, 2);
  }

  private static CamResult explain(
      ModelMethod method, ForwardModel model, Tensor input, LayerTensors layer) {
    return explain(method, model, input, layer, 0);
  }

  private static CamResult explain(
      ModelMethod method, ForwardModel model, Tensor input, LayerTensors layer, int samples) {
    RunOptions options = RunOptions.forInput(input).withSamples(samples);
    ModelRun run = new ModelRun(model, input, Targets.raw(), options);
    return method.explain(run, List.of(layer), Heatmaps.standard());
  }

  private static void assertRaw(CamResult result, double... expected) {
    float[] raw = result.raw().get("conv").values();
    assertThat(raw).hasSize(expected.length);
    for (int i = 0; i < raw.length; i++) {
      assertThat((double) raw[i]).as("value %d", i).isCloseTo(expected[i], within(1e-6));
    }
  }
}
