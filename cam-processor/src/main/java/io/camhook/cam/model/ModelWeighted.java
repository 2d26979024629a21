package io.camhook.cam.model;

import io.camhook.cam.CamException;
import io.camhook.cam.CamResult;
import io.camhook.cam.ChannelWeighted;
import io.camhook.cam.Heatmaps;
import io.camhook.cam.LayerSample;
import io.camhook.cam.LayerTensors;
import io.camhook.cam.Requirement;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** A method that finds one weight per channel by running the model: {@code raw = sum_k w_k A_k}. */
abstract class ModelWeighted implements ModelMethod {

  @Override
  public final boolean usesLayers() {
    return true;
  }

  /** The weights of one layer's channels, {@code [C]}. */
  abstract double[] weights(ModelRun run, LayerTensors layer, LayerSample sample);

  @Override
  public final CamResult explain(ModelRun run, List<LayerTensors> layers, Heatmaps pipeline) {
    Map<String, double[]> weights = new HashMap<>();
    for (LayerTensors layer : layers) {
      if (layer.samples() != 1) {
        throw new CamException(
            "%s explains one input at a time, layer %s holds %d"
                .formatted(id(), layer.path(), layer.samples()));
      }
      LayerSample sample = layer.sample(0, run.input().shape());
      weights.put(layer.path(), weights(run, layer, sample));
    }
    return pipeline.one(new Found(id(), title(), weights), layers, run.input().shape(), 0);
  }

  /** Applies the weights once they are known. */
  private record Found(String id, String title, Map<String, double[]> weightsByPath)
      implements ChannelWeighted {

    @Override
    public Set<Requirement> needs() {
      return Set.of(Requirement.ACTIVATION, Requirement.MODEL);
    }

    @Override
    public double[] weights(LayerSample sample) {
      double[] weights = weightsByPath.get(sample.path());
      if (weights == null) {
        throw new CamException("layer " + sample.path() + " was not run");
      }
      return weights;
    }
  }
}
