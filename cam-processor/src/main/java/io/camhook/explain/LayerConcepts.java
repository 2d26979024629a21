package io.camhook.explain;

import io.camhook.cam.FeatureFactorization;
import io.camhook.cam.FloatMap;
import io.camhook.recording.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * The concepts of one layer for one input, and the model's output for each.
 *
 * @param factorization concepts in descending order of their share
 * @param heatmaps one per concept, 0..1, in the input's spatial size
 * @param outputs one per concept: the model's output if the layer returned the concept at every
 *     position; empty if the model cannot be run that way
 */
public record LayerConcepts(
    FeatureFactorization factorization, List<FloatMap> heatmaps, List<float[]> outputs) {
  public LayerConcepts {
    heatmaps = List.copyOf(heatmaps);
    outputs = List.copyOf(outputs);
  }

  /** {@code concept/map/LAYER}, {@code concept/vector/LAYER}, {@code concept/output/LAYER}. */
  public Map<String, Tensor> tensors() {
    List<float[]> vectors = factorization.concepts().stream().map(c -> c.vector()).toList();
    List<float[]> maps =
        factorization.concepts().stream().map(c -> c.maps().get(0).values()).toList();
    int[] spatial = factorization.concepts().get(0).maps().get(0).shape();
    String path = factorization.path();
    long[] shape = new long[spatial.length + 1];
    shape[0] = maps.size();
    for (int d = 0; d < spatial.length; d++) {
      shape[d + 1] = spatial[d];
    }
    Tensor map = Tensor.ofFloats(joined(maps), shape);
    Tensor vector = rows(vectors);
    return outputs.isEmpty()
        ? Map.of("concept/map/" + path, map, "concept/vector/" + path, vector)
        : Map.of(
            "concept/map/" + path,
            map,
            "concept/vector/" + path,
            vector,
            "concept/output/" + path,
            rows(outputs));
  }

  private static Tensor rows(List<float[]> rows) {
    return Tensor.ofFloats(joined(rows), rows.size(), rows.get(0).length);
  }

  private static float[] joined(List<float[]> rows) {
    int length = rows.get(0).length;
    float[] all = Arrays.copyOf(rows.get(0), rows.size() * length);
    for (int i = 1; i < rows.size(); i++) {
      System.arraycopy(rows.get(i), 0, all, i * length, length);
    }
    return all;
  }
}
