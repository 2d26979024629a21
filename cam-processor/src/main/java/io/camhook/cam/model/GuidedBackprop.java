package io.camhook.cam.model;

import io.camhook.cam.FloatMap;
import io.camhook.cam.Heatmaps;
import io.camhook.cam.LayerTensors;
import java.util.List;

/**
 * Guided backpropagation: the gradient of the input with guided ReLUs; the map is the sum over the
 * input's channels of its magnitude.
 *
 * <p>Springenberg et al., "Striving for Simplicity: The All Convolutional Net", ICLR Workshops
 * 2015. The gradient follows pytorch-grad-cam, which shows it in colour and does not turn it into a
 * map.
 */
final class GuidedBackprop extends InputMethod {

  @Override
  public String id() {
    return "guided-backprop";
  }

  @Override
  public String title() {
    return "Guided Backprop";
  }

  @Override
  FloatMap raw(ModelRun run, List<LayerTensors> layers, Heatmaps pipeline) {
    run.numbers(id());
    float[] gradient =
        run.backward(id()).guidedInputGradient(run.input(), List.of(run.target())).toFloats();
    return magnitude(gradient, run.spatial());
  }
}
