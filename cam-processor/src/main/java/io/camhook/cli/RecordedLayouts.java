package io.camhook.cli;

import io.camhook.cam.CamException;
import io.camhook.cam.LayerTensors;
import io.camhook.cam.Layout;
import io.camhook.cam.ModuleTypes;
import io.camhook.recording.LayerOutput;
import io.camhook.recording.Manifest;
import io.camhook.recording.ModelInfo;
import io.camhook.recording.ModuleInfo;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The axes of channels and positions in recorded layers: by the user's setting, otherwise by the
 * module type in the manifest, otherwise by comparing sizes with the input.
 *
 * @param wanted the user's setting; null if there is none
 * @param types types of modules by path, by model
 */
record RecordedLayouts(@Nullable Layout wanted, Map<String, Map<String, String>> types) {
  /** No layouts are known. */
  static final RecordedLayouts NONE = new RecordedLayouts(null, Map.of());

  RecordedLayouts with(Manifest manifest) {
    Map<String, Map<String, String>> found = new HashMap<>();
    for (ModelInfo model : manifest.models()) {
      Map<String, String> own = found.computeIfAbsent(model.name(), name -> new HashMap<>());
      for (ModuleInfo module : model.modules()) {
        own.put(module.path(), module.type());
      }
    }
    return new RecordedLayouts(wanted, found);
  }

  /**
   * A layer with its layout, if known.
   *
   * @param input shape of the model's input; empty if unknown
   */
  LayerTensors of(String model, LayerTensors layer, long[] input) {
    if (wanted != null) {
      return layer.withLayout(wanted);
    }
    long[] shape = layer.activation().shape();
    String path = LayerOutput.parse(layer.path()).path();
    String type = types.getOrDefault(model, Map.of()).get(path);
    Optional<Layout> known = type == null ? Optional.empty() : ModuleTypes.layout(type);
    if (known.isEmpty() || shape.length < 3 || input.length == 0) {
      return layer;
    }
    boolean tokens = known.get().kind() == Layout.Kind.CHANNELS_LAST && shape.length == 3;
    if (!tokens || input.length != 4) {
      return layer.withLayout(known.get());
    }
    try {
      return layer.withLayout(Layout.tokens(layer.path(), shape, input)); // of a picture
    } catch (CamException e) {
      return layer;
    }
  }
}
