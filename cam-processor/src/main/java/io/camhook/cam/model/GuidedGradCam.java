package io.camhook.cam.model;

import io.camhook.cam.CamException;
import io.camhook.cam.CamMethods;
import io.camhook.cam.FloatMap;
import io.camhook.cam.Heatmaps;
import io.camhook.cam.LayerTensors;
import java.util.List;

/**
 * Guided Grad-CAM: the guided gradient of the input times the Grad-CAM heatmap; the map is the sum
 * over the input's channels of its magnitude.
 *
 * <p>Selvaraju et al., "Grad-CAM", ICCV 2017. The product follows pytorch-grad-cam's example.
 */
final class GuidedGradCam extends InputMethod {

  @Override
  public String id() {
    return "guided-gradcam";
  }

  @Override
  public String title() {
    return "Guided Grad-CAM";
  }

  @Override
  public boolean usesLayers() {
    return true;
  }

  @Override
  FloatMap raw(ModelRun run, List<LayerTensors> layers, Heatmaps pipeline) {
    float[] heat =
        pipeline.one(CamMethods.byId("gradcam"), layers, run.input().shape(), 0).heatmap().values();
    run.numbers(id());
    float[] gradient =
        run.backward(id()).guidedInputGradient(run.input(), List.of(run.target())).toFloats();
    if (gradient.length % heat.length != 0) {
      throw new CamException(
          "guided-gradcam: the layers' maps have another number of dimensions than the input");
    }
    for (int i = 0; i < gradient.length; i++) {
      gradient[i] *= heat[i % heat.length];
    }
    return magnitude(gradient, run.spatial());
  }
}
