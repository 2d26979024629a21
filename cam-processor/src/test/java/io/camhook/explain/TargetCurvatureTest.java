package io.camhook.explain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.camhook.cam.CamResult;
import io.camhook.cam.Heatmaps;
import io.camhook.cam.LayerTensors;
import io.camhook.cam.model.RunOptions;
import io.camhook.cam.targets.Labels;
import io.camhook.cam.targets.TargetChoice;
import io.camhook.recording.Safetensors;
import io.camhook.recording.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class TargetCurvatureTest {
  private static final Path REFERENCE =
      Path.of(System.getProperty("camhook.reference", "../shared/reference"));

  /**
   * y = W m + b with m the means of A over P positions, s = softmax_c(y). Then ∂s/∂A_k = (Wᵀ ∇s)_k
   * / P at every position, and (H A)_k = (Wᵀ ∇²s W m)_k / P; Shapley-CAM weighs by the mean of
   * ∂s/∂A less half of that. ∇²s of softmax: with q = e_c - p, ∂s/∂y = p_c q and ∇²s u = p_c (q
   * (q·u) - p∘u + p (p·u)).
   */
  @Test
  void softmax_should_be_curved_as_by_hand() throws IOException {
    Tensor image =
        Safetensors.read(REFERENCE.resolve("torchscript/gap_linear.safetensors"))
            .tensors()
            .get("input");
    ModelInput input = new ModelInput("image", List.of(image), null);
    try (Explainer explainer =
        Explainer.load(
            REFERENCE.resolve("torchscript/gap_linear.traced.pt"), List.of("features"))) {
      Explained plain = explainer.run(input, TargetChoice.parse("top1", Labels.none()));
      int c = plain.classIndex(0);
      float[] y = plain.logits().orElseThrow().toFloats();
      LayerTensors layer = plain.layers(0).get(0);
      float[] a = layer.activation().toFloats();
      int channels = (int) layer.activation().size(1);
      int positions = a.length / channels;
      double[][] w = new double[y.length][];
      for (int i = 0; i < y.length; i++) {
        w[i] = row(explainer, input, i, channels);
      }
      double[] m = new double[channels];
      for (int i = 0; i < a.length; i++) {
        m[i / positions] += (double) a[i] / positions;
      }
      double[] p = softmax(y);
      double[] u = new double[y.length];
      double pu = 0;
      for (int i = 0; i < y.length; i++) {
        for (int k = 0; k < channels; k++) {
          u[i] += w[i][k] * m[k];
        }
        pu += p[i] * u[i];
      }
      double[] expected = new double[positions];
      for (int k = 0; k < channels; k++) {
        double gradient = 0;
        double curvature = 0;
        for (int i = 0; i < y.length; i++) {
          double q = (i == c ? 1 : 0) - p[i];
          gradient += w[i][k] * p[c] * q;
          curvature += w[i][k] * p[c] * (q * (u[c] - pu) - p[i] * u[i] + p[i] * pu);
        }
        for (int x = 0; x < positions; x++) {
          expected[x] += (gradient - curvature / 2) / positions * a[k * positions + x];
        }
      }
      Explained soft = explainer.run(input, TargetChoice.parse("softmax:" + c, Labels.none()));
      CamResult found = soft.map("shapleycam", 0, RunOptions.forInput(image), Heatmaps.standard());
      float[] raw = found.raw().get("features").values();
      double largest = 0;
      for (double value : expected) {
        largest = Math.max(largest, Math.abs(value));
      }
      for (int x = 0; x < positions; x++) {
        // differences of float32 numbers: three digits
        assertThat((double) raw[x]).isCloseTo(expected[x], within(2e-3 * largest));
      }
    }
  }

  private static double[] row(Explainer explainer, ModelInput input, int index, int channels)
      throws IOException {
    Explained one = explainer.run(input, TargetChoice.parse("class:" + index, Labels.none()));
    float[] row = one.layers(0).get(0).classifierRows().toFloats();
    double[] doubles = new double[channels];
    for (int k = 0; k < channels; k++) {
      doubles[k] = row[k];
    }
    return doubles;
  }

  private static double[] softmax(float[] y) {
    double most = Double.NEGATIVE_INFINITY;
    for (float v : y) {
      most = Math.max(most, v);
    }
    double sum = 0;
    double[] p = new double[y.length];
    for (int i = 0; i < p.length; i++) {
      p[i] = Math.exp(y[i] - most);
      sum += p[i];
    }
    for (int i = 0; i < p.length; i++) {
      p[i] /= sum;
    }
    return p;
  }
}
