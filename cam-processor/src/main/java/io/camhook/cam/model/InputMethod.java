package io.camhook.cam.model;

import io.camhook.cam.CamResult;
import io.camhook.cam.FloatMap;
import io.camhook.cam.Heatmaps;
import io.camhook.cam.LayerTensors;
import java.util.List;
import java.util.Map;

/** A method whose raw map lies over the input itself; its layer name is {@code input}. */
abstract class InputMethod implements ModelMethod {

  @Override
  public boolean usesLayers() {
    return false;
  }

  /** The map before ReLU and scaling, of the input's spatial shape. */
  abstract FloatMap raw(ModelRun run, List<LayerTensors> layers, Heatmaps pipeline);

  @Override
  public final CamResult explain(ModelRun run, List<LayerTensors> layers, Heatmaps pipeline) {
    FloatMap raw = raw(run, layers, pipeline);
    return new CamResult(id(), Map.of("input", raw), pipeline.heatmap(List.of(raw), run.spatial()));
  }

  /** {@code sum_c |x_c|} of {@code [1, C, …]} values. */
  static FloatMap magnitude(float[] values, int[] spatial) {
    float[] out = new float[positions(spatial)];
    for (int i = 0; i < values.length; i++) {
      out[i % out.length] += Math.abs(values[i]);
    }
    return FloatMap.of(out, spatial);
  }

  static int positions(int[] spatial) {
    int n = 1;
    for (int size : spatial) {
      n *= size;
    }
    return n;
  }
}
