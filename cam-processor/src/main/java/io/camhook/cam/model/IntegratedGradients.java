package io.camhook.cam.model;

import io.camhook.cam.FloatMap;
import io.camhook.cam.Heatmaps;
import io.camhook.cam.LayerTensors;
import io.camhook.recording.Tensor;
import java.util.List;

/**
 * Integrated gradients: {@code x * mean_t dS/dx(t x)} over 50 midpoints t of 0..1, the baseline
 * being 0; the map is the sum over the input's channels, so that it adds up to {@code S(x) - S(0)},
 * except for the error from the small number of steps, which is several percent for a deep ReLU
 * network. For token ids, x is their embedding vectors.
 *
 * <p>Sundararajan et al., "Axiomatic Attribution for Deep Networks", ICML 2017. Neither library has
 * it.
 */
final class IntegratedGradients extends InputMethod {
  private static final int STEPS = 50;

  @Override
  public String id() {
    return "integrated-gradients";
  }

  @Override
  public String title() {
    return "Integrated Gradients";
  }

  @Override
  FloatMap raw(ModelRun run, List<LayerTensors> layers, Heatmaps pipeline) {
    if (run.model().takesIntegers()) {
      return tokens(run);
    }
    int steps = run.options().samplesOr(STEPS);
    float[] input = run.input().toFloats();
    double[] gradient =
        InputGradients.mean(
            run,
            id(),
            steps,
            (i, batch, offset) -> {
              float t = (i + 0.5f) / steps;
              for (int p = 0; p < input.length; p++) {
                batch[offset + p] = t * input[p];
              }
            });
    float[] raw = new float[positions(run.spatial())];
    for (int p = 0; p < input.length; p++) {
      raw[p % raw.length] += (float) (input[p] * gradient[p]);
    }
    return FloatMap.of(raw, run.spatial());
  }

  /** The path from 0 to the vectors that the token ids become; summed over their channels. */
  private FloatMap tokens(ModelRun run) {
    BackwardModel model = run.backward(id());
    int steps = run.options().samplesOr(STEPS);
    Tensor embedding = model.embedding();
    float[] vectors = embedding.toFloats();
    double[] gradient =
        InputGradients.mean(
            run,
            id(),
            steps,
            embedding.shape(),
            (i, batch, offset) -> {
              float t = (i + 0.5f) / steps;
              for (int p = 0; p < vectors.length; p++) {
                batch[offset + p] = t * vectors[p];
              }
            },
            model::embeddingGradient);
    float[] raw = new float[(int) embedding.size(1)];
    int channels = vectors.length / raw.length;
    for (int i = 0; i < vectors.length; i++) {
      raw[i / channels] += (float) (vectors[i] * gradient[i]);
    }
    return FloatMap.of(raw, run.spatial());
  }
}
