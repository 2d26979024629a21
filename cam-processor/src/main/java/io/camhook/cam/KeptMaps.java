package io.camhook.cam;

import io.camhook.recording.Capture;
import io.camhook.recording.LayerOutput;
import io.camhook.recording.Tensor;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Raw maps that were computed where the model ran and recorded instead of activations and gradients
 * ({@code reduce: cam}): {@code raw/gradcam/PATH}, for the second target {@code raw@1/gradcam/PATH}
 * and so on, each {@code [N,H,W]}.
 */
public final class KeptMaps {
  /** The method whose maps they are. */
  public static final String METHOD = "gradcam";

  private static final Pattern NAME = Pattern.compile("raw(?:@(\\d{1,6}))?/" + METHOD + "/(.+)");

  /** By target, then by layer. */
  private final Map<Integer, Map<LayerOutput, Tensor>> maps = new LinkedHashMap<>();

  private KeptMaps() {}

  /** The maps of a capture; empty if it was recorded in full. */
  public static KeptMaps of(Capture capture) {
    KeptMaps kept = new KeptMaps();
    capture
        .tensors()
        .forEach(
            (name, tensor) -> {
              Matcher parts = NAME.matcher(name);
              if (parts.matches() && tensor.rank() == 3) {
                int n = parts.group(1) == null ? 0 : Integer.parseInt(parts.group(1));
                kept.maps
                    .computeIfAbsent(n, ignored -> new LinkedHashMap<>())
                    .put(LayerOutput.parse(parts.group(2)), tensor);
              }
            });
    return kept;
  }

  public boolean isEmpty() {
    return maps.isEmpty();
  }

  /** The layers that have a map of the first target. */
  public List<LayerOutput> layers() {
    return List.copyOf(maps.getOrDefault(0, Map.of()).keySet());
  }

  /**
   * The method's result for one sample.
   *
   * @param n number of the target among those of a sample
   * @param inputShape shape of the model's input, batch first; empty if unknown
   * @throws CamException if there is no map of that target or sample
   */
  public CamResult result(
      Heatmaps heatmaps, List<LayerOutput> layers, int sample, int n, long[] inputShape) {
    Map<String, FloatMap> raw = new LinkedHashMap<>();
    for (LayerOutput layer : layers) {
      Tensor batch = maps.getOrDefault(n, Map.of()).get(layer);
      if (batch != null && sample < batch.size(0)) {
        int height = (int) batch.size(1);
        int width = (int) batch.size(2);
        int size = height * width;
        float[] values = Arrays.copyOfRange(batch.toFloats(), sample * size, (sample + 1) * size);
        raw.put(layer.toString(), FloatMap.of(values, height, width));
      }
    }
    if (raw.isEmpty()) {
      throw new CamException("the capture keeps no map of target %d".formatted(n));
    }
    int[] size = Arrays.stream(inputShape).skip(2).mapToInt(Math::toIntExact).toArray();
    return new CamResult(METHOD, raw, heatmaps.heatmap(List.copyOf(raw.values()), size));
  }
}
