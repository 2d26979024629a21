package io.camhook.cam.model;

import io.camhook.cam.CamResult;
import io.camhook.cam.Heatmaps;
import io.camhook.cam.LayerTensors;
import java.util.List;

/** A method that runs the model again. Implementations are immutable and thread-safe. */
public interface ModelMethod {

  /** The name users write, for example {@code scorecam}. */
  String id();

  /** The usual name in the literature, for example {@code Score-CAM}. */
  String title();

  /** Whether the method explains through layers; if not, the layers are ignored. */
  boolean usesLayers();

  /**
   * Explains one input.
   *
   * @param layers what the layers return for the input, batch 1; ignored without {@link
   *     #usesLayers}
   * @param pipeline how raw maps become a heatmap
   * @throws io.camhook.cam.CamException if the model or the layers lack something
   * @throws java.util.concurrent.CancellationException if the options say so
   */
  CamResult explain(ModelRun run, List<LayerTensors> layers, Heatmaps pipeline);
}
