package io.camhook.cam.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.camhook.cam.CamException;
import io.camhook.cam.CamResult;
import io.camhook.cam.Heatmaps;
import io.camhook.cam.LayerTensors;
import io.camhook.cam.targets.ScoreTarget;
import io.camhook.cam.targets.Targets;
import io.camhook.recording.Tensor;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** One fixture per method whose map lies over the input, computed by hand. */
class InputMethodFixturesTest {

  @Test
  void integrated_gradients_should_share_the_score_out() {
    // S = x0^2 + 3 x0 x1, gradient (2 x0 + 3 x1, 3 x0), linear along the path from 0: its mean is
    // half the gradient at x = (2, 1): 2 * 7/2 and 1 * 6/2, which add up to S = 4 + 6.
    assertRaw(explain(new IntegratedGradients(), quadratic(), input(2, 1)), 7, 3);
  }

  @Test
  void integrated_gradients_should_add_up_to_the_score() {
    // S = sin(x0) e^x1: no polynomial, so 50 midpoints err by (1/50)^2 / 24 times a second
    // derivative along the path below 10: 2e-4.
    HandModel model =
        new HandModel() {
          @Override
          float[] gradient(float[] x) {
            return new float[] {
              (float) (Math.cos(x[0]) * Math.exp(x[1])), (float) (Math.sin(x[0]) * Math.exp(x[1]))
            };
          }
        };
    float[] raw = raw(explain(new IntegratedGradients(), model, input(1.2f, 0.7f)));
    assertThat((double) raw[0] + raw[1]).isCloseTo(Math.sin(1.2f) * Math.exp(0.7f), within(2e-4));
  }

  @Test
  void smoothgrad_should_be_the_gradient_where_noise_changes_nothing() {
    HandModel linear =
        new HandModel() {
          @Override
          float[] gradient(float[] x) {
            return new float[] {3, -4};
          }
        };
    assertRaw(explain(new SmoothGrad(), linear, input(2, 1)), 3, 4);
  }

  @Test
  void smoothgrad_should_average_over_its_noise() {
    // Gradient (x0^3, 0) at x = (2, 0), noise of 0.15 * (2 - 0) = 0.3: E = 8 + 3 * 2 * 0.09 = 8.54.
    // Its standard deviation is near 12 * 0.3 = 3.6, over 20000 samples 0.026: four of them.
    HandModel cubic =
        new HandModel() {
          @Override
          float[] gradient(float[] x) {
            return new float[] {x[0] * x[0] * x[0], 0};
          }
        };
    float[] raw = raw(explain(new SmoothGrad(), cubic, input(2, 0), 64, 20_000));
    assertThat((double) raw[0]).isCloseTo(8.54, within(0.11));
  }

  @Test
  void occlusion_should_average_the_drop_of_the_windows_over_a_position() {
    // 1 x 16: windows of 2, a position further each. S adds up the input 0, 1 ... 15, so window
    // {p, p + 1} drops it by 2 p + 1. Position 5 lies in two windows: (9 + 11) / 2; the ends in
    // one.
    float[] ramp = new float[16];
    for (int i = 0; i < ramp.length; i++) {
      ramp[i] = i;
    }
    HandModel sum =
        new HandModel() {
          @Override
          double score(float[] x) {
            double sum = 0;
            for (float v : x) {
              sum += v;
            }
            return sum;
          }
        };
    float[] raw = raw(explain(new Occlusion(), sum, Tensor.ofFloats(ramp, 1, 1, 1, 16)));
    assertThat(raw[5]).isEqualTo(10);
    assertThat(raw[0]).isEqualTo(1);
    assertThat(raw[15]).isEqualTo(29);
    // A signal has the same map.
    assertThat(raw(explain(new Occlusion(), sum, Tensor.ofFloats(ramp, 1, 1, 16)))).isEqualTo(raw);
  }

  @Test
  void rise_should_weigh_its_masks_by_the_score() {
    // The score is the value of the middle pixel q of 28 x 28 under the mask, M_q. Then raw_q =
    // E[M_q^2] / p and raw = E[M_q] E[M] / p = p = 1/2 at pixels that share no cell with it. M_q is
    // a bilinear mean of four cells that are 0 or 1: E[M_q^2] = p^2 + p (1 - p) E[sum of squared
    // weights], the square of E[f^2 + (1 - f)^2] over the four offsets of an axis (cells of 4
    // pixels, 7 of them enlarged to 32, so f is the fraction of (14 + t + 1/2) 7/32 - 1/2).
    double axis = 0;
    for (int t = 0; t < 4; t++) {
      double at = (14 + t + 0.5) * 7 / 32 - 0.5;
      double f = at - Math.floor(at);
      axis += (f * f + (1 - f) * (1 - f)) / 4;
    }
    double expected = (0.25 + 0.25 * axis * axis) / 0.5;
    // The standard deviation of M_q^2 / p is below 0.8, over 20000 masks 0.006; five of them.
    int q = 14 * 28 + 14;
    float[] ones = new float[28 * 28];
    Arrays.fill(ones, 1);
    HandModel middle =
        new HandModel() {
          @Override
          double score(float[] x) {
            return x[q];
          }
        };
    float[] raw = raw(explain(new Rise(), middle, Tensor.ofFloats(ones, 1, 1, 28, 28), 64, 20_000));
    assertThat((double) raw[q]).isCloseTo(expected, within(0.03));
    assertThat((double) raw[0]).isCloseTo(0.5, within(0.03));
  }

  @Test
  void rise_should_not_depend_on_the_batch() {
    Tensor input = Tensor.ofFloats(new float[64], 1, 1, 8, 8);
    HandModel first =
        new HandModel() {
          @Override
          double score(float[] x) {
            return 1;
          }
        };
    float[] small = raw(explain(new Rise(), first, input, 3, 20));
    assertThat(raw(explain(new Rise(), first, input, 64, 20))).isEqualTo(small);
    assertThat(first.batches).containsExactly(3, 3, 3, 3, 3, 3, 2, 20);
  }

  @Test
  void rise_should_refuse_what_is_no_picture() {
    assertThatThrownBy(
            () -> explain(new Rise(), quadratic(), Tensor.ofFloats(new float[4], 1, 1, 4)))
        .isInstanceOf(CamException.class)
        .hasMessage("rise masks pictures, the input has 1 spatial dimensions; use occlusion");
  }

  @Test
  void fullgrad_should_add_the_input_and_every_bias() {
    // |x g| = |(1 * 3, 2 * -1)| = (3, 2), scaled (1, 0). A layer of two channels with biases 2 and
    // -1 and gradients (1, -3) and (5, 1): |b g| = (2, 6), scaled (0, 1), and (5, 1), scaled (1,
    // 0).
    HandModel model =
        new HandModel() {
          @Override
          float[] gradient(float[] x) {
            return new float[] {3, -1};
          }

          @Override
          public List<BiasGradient> biasGradients(Tensor input, List<ScoreTarget> targets) {
            Tensor g = Tensor.ofFloats(new float[] {1, -3, 5, 1}, 1, 2, 1, 2);
            return List.of(new BiasGradient("conv", new float[] {2, -1}, g));
          }
        };
    assertRaw(explain(new FullGrad(), model, input(1, 2)), 2, 1);
  }

  @Test
  void fullgrad_should_enlarge_a_smaller_layer() {
    // The input's own part is constant, so 0. |b g| = (1, 3) over 1 x 2, scaled (0, 1), over 1 x 4
    // at
    // half-pixel centres: 0, 1/4, 3/4, 1.
    HandModel model =
        new HandModel() {
          @Override
          float[] gradient(float[] x) {
            return new float[] {1, 1, 1, 1};
          }

          @Override
          public List<BiasGradient> biasGradients(Tensor input, List<ScoreTarget> targets) {
            Tensor g = Tensor.ofFloats(new float[] {1, 3}, 1, 1, 1, 2);
            return List.of(new BiasGradient("conv", new float[] {1}, g));
          }
        };
    Tensor input = Tensor.ofFloats(new float[] {1, 1, 1, 1}, 1, 1, 1, 4);
    assertRaw(explain(new FullGrad(), model, input), 0, 0.25, 0.75, 1);
  }

  @Test
  void guided_backprop_should_add_up_magnitudes_over_channels() {
    // Two channels of input: |1| + |3|, |-2| + |4|.
    Tensor input = Tensor.ofFloats(new float[4], 1, 2, 1, 2);
    assertRaw(explain(new GuidedBackprop(), guided(1, -2, 3, 4), input), 4, 6);
  }

  @Test
  void guided_gradcam_should_multiply_with_the_heatmap() {
    // Grad-CAM: A = (0, 2), mean g = 1: raw (0, 2), heatmap (0, 1). Times (|1| + |3|, |-2| + |4|).
    LayerTensors layer =
        LayerTensors.of(
            "conv",
            Tensor.ofFloats(new float[] {0, 2}, 1, 1, 1, 2),
            Tensor.ofFloats(new float[] {1, 1}, 1, 1, 1, 2));
    Tensor input = Tensor.ofFloats(new float[4], 1, 2, 1, 2);
    ModelRun run =
        new ModelRun(guided(1, -2, 3, 4), input, Targets.raw(), RunOptions.forInput(input));
    assertRaw(new GuidedGradCam().explain(run, List.of(layer), Heatmaps.standard()), 0, 6);
  }

  @Test
  void heatmap_should_be_rectified_and_scaled() {
    // raw (7, 3): scaled (1, 0).
    CamResult result = explain(new IntegratedGradients(), quadratic(), input(2, 1));
    assertThat(result.heatmap().values()).usingComparatorWithPrecision(1e-6f).containsExactly(1, 0);
  }

  @Test
  void model_without_gradients_should_be_refused_with_what_works() {
    ForwardModel forward =
        new ForwardModel() {
          @Override
          public Tensor outputs(Tensor input) {
            return Tensor.ofFloats(new float[] {1}, 1, 1);
          }

          @Override
          public Tensor outputsFrom(String path, Tensor activation, Tensor input) {
            throw new UnsupportedOperationException();
          }
        };
    for (ModelMethod method :
        List.of(
            new IntegratedGradients(),
            new SmoothGrad(),
            new FullGrad(),
            new GuidedBackprop(),
            new SmoothGradCamPlusPlus())) {
      LayerTensors layer = LayerTensors.of("conv", Tensor.ofFloats(new float[4], 1, 2, 1, 2), null);
      Tensor input = input(1, 2);
      ModelRun run = new ModelRun(forward, input, Targets.raw(), RunOptions.forInput(input));
      assertThatThrownBy(() -> method.explain(run, List.of(layer), Heatmaps.standard()))
          .as(method.id())
          .isInstanceOf(CamException.class)
          .hasMessageStartingWith(method.id() + " needs a model that gives gradients")
          .hasMessageEndingWith("use scorecam, ablationcam, rise or occlusion");
    }
  }

  private static HandModel quadratic() {
    return new HandModel() {
      @Override
      float[] gradient(float[] x) {
        return new float[] {2 * x[0] + 3 * x[1], 3 * x[0]};
      }
    };
  }

  private static HandModel guided(float... gradient) {
    return new HandModel() {
      @Override
      float[] guided(float[] x) {
        return gradient;
      }
    };
  }

  private static Tensor input(float... x) {
    return Tensor.ofFloats(x, 1, 1, 1, x.length);
  }

  private static CamResult explain(ModelMethod method, ForwardModel model, Tensor input) {
    return explain(method, model, input, 64, 0);
  }

  private static CamResult explain(
      ModelMethod method, ForwardModel model, Tensor input, int batch, int samples) {
    RunOptions options = RunOptions.forInput(input).withBatch(batch).withSamples(samples);
    ModelRun run = new ModelRun(model, input, Targets.raw(), options);
    return method.explain(run, List.of(), Heatmaps.standard());
  }

  private static float[] raw(CamResult result) {
    return result.raw().get("input").values();
  }

  private static void assertRaw(CamResult result, double... expected) {
    float[] raw = raw(result);
    assertThat(raw).hasSize(expected.length);
    for (int i = 0; i < raw.length; i++) {
      assertThat((double) raw[i]).as("value %d", i).isCloseTo(expected[i], within(1e-5));
    }
  }
}
