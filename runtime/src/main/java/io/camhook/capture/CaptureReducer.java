package io.camhook.capture;

import io.camhook.config.CamhookConfig.Kept;
import io.camhook.config.CamhookConfig.Model;
import io.camhook.config.CamhookConfig.Precision;
import io.camhook.naming.Glob;
import io.camhook.recording.Capture;
import io.camhook.recording.DType;
import io.camhook.recording.LayerOutput;
import io.camhook.recording.Tensor;
import io.camhook.recording.TensorName;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.UnaryOperator;

/**
 * Reduces a capture to what its entry in the configuration keeps: {@code precision} and {@code
 * reduce}. Runs on the writer's thread. Thread-safe.
 */
public final class CaptureReducer implements UnaryOperator<Capture> {
  private final List<Model> models;
  private final Map<String, Kept> byLabel = new ConcurrentHashMap<>();

  public CaptureReducer(List<Model> models) {
    this.models = List.copyOf(models);
  }

  @Override
  public Capture apply(Capture capture) {
    Kept kept = byLabel.computeIfAbsent(capture.model(), this::keptOf);
    if (kept.equals(Kept.ALL)) {
      return capture;
    }
    Map<String, Tensor> tensors =
        new LinkedHashMap<>(kept.maps() ? maps(capture) : capture.tensors());
    tensors.replaceAll((name, tensor) -> narrowed(tensor, kept.precision()));
    return capture.with(tensors, kept.maps() ? Map.of("reduced", "cam") : Map.of());
  }

  /**
   * A capture as {@code reduce: cam} keeps it.
   *
   * @param more metadata to add
   */
  public static Capture reduced(Capture capture, Map<String, String> more) {
    Map<String, String> metadata = new LinkedHashMap<>(more);
    metadata.put("reduced", "cam");
    return capture.with(maps(capture), metadata);
  }

  private Kept keptOf(String label) {
    return models.stream()
        .filter(model -> new Glob(model.name()).matches(label))
        .findFirst()
        .map(Model::kept)
        .orElse(Kept.ALL);
  }

  private static Tensor narrowed(Tensor tensor, Precision precision) {
    return tensor.dtype() != DType.F32
        ? tensor
        : switch (precision) {
          case FLOAT32 -> tensor;
          case FLOAT16 -> tensor.to(DType.F16);
          case BFLOAT16 -> tensor.to(DType.BF16);
        };
  }

  /**
   * Grad-CAM's raw maps of the spatial layers, for every differentiated target. A layer without
   * positions, or with an unknown channel axis, keeps its tensors.
   */
  private static Map<String, Tensor> maps(Capture capture) {
    Map<String, Tensor> kept = new LinkedHashMap<>();
    Set<String> gone = new TreeSet<>();
    gone.add(TensorName.CLASSIFIER_WEIGHT.toString());
    long[] input = GradCamMaps.inputShape(capture);
    for (LayerOutput layer : capture.layers()) {
      TensorName activationName = TensorName.activation(layer);
      Tensor activation = capture.tensor(activationName).orElseThrow();
      for (int n = 0; ; n++) {
        TensorName gradientName = TensorName.gradient(n, layer);
        Tensor gradient = capture.tensor(gradientName).orElse(null);
        if (gradient == null || !GradCamMaps.canBeMade(activation, gradient)) {
          break;
        }
        kept.put(
            "raw%s/gradcam/%s".formatted(n == 0 ? "" : "@" + n, layer),
            GradCamMaps.raw(activation, gradient, input));
        gone.add(activationName.toString());
        gone.add(gradientName.toString());
      }
    }
    capture
        .tensors()
        .forEach(
            (name, tensor) -> {
              if (name.equals(TensorName.IMAGE.toString())) {
                kept.put(name, Thumbnail.of(tensor));
              } else if (!gone.contains(name) && !name.startsWith("input.")) {
                kept.put(name, tensor);
              }
            });
    return kept;
  }
}
