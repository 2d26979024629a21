package io.camhook.cli;

import io.camhook.cam.CamMethod;
import io.camhook.cam.CamMethods;
import io.camhook.cam.Requirement;
import io.camhook.cam.model.ModelMethods;
import io.camhook.recording.Capture;
import io.camhook.recording.TensorName;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The requested methods, or those that a capture has the data for. */
final class MethodChoice {
  private static final List<String> USUAL = List.of("gradcam", "cam");

  private final List<CamMethod> wanted;

  private MethodChoice(List<CamMethod> wanted) {
    this.wanted = wanted;
  }

  /**
   * The methods of these ids; none: what each capture has the data for.
   *
   * @throws io.camhook.cam.CamException if there is no such method, naming the nearest
   */
  static MethodChoice of(List<String> ids) {
    return new MethodChoice(
        ids.stream().map(ModelMethods::idOf).distinct().map(CamMethods::byId).toList());
  }

  /** Whether methods were named. */
  boolean isExplicit() {
    return !wanted.isEmpty();
  }

  List<CamMethod> of(Capture capture) {
    if (isExplicit()) {
      return wanted;
    }
    List<CamMethod> possible = new ArrayList<>();
    for (String id : USUAL) {
      CamMethod method = CamMethods.byId(id);
      if (method.needs().stream().allMatch(need -> has(capture, need))) {
        possible.add(method);
      }
    }
    if (possible.isEmpty()) {
      possible.add(CamMethods.byId("eigencam"));
    }
    return possible;
  }

  private static boolean has(Capture capture, Requirement need) {
    return switch (need) {
      case ACTIVATION -> !capture.layers().isEmpty();
      case GRADIENT ->
          capture.layers().stream()
              .anyMatch(layer -> capture.tensor(TensorName.gradient(0, layer)).isPresent());
      case CLASSIFIER -> capture.tensor(TensorName.CLASSIFIER_WEIGHT).isPresent();
      default -> false;
    };
  }

  /** Ids to usual names, in the order of the documentation. */
  static Map<String, String> names() {
    Map<String, String> names = new LinkedHashMap<>();
    USUAL.forEach(id -> names.put(id, ModelMethods.title(id)));
    ModelMethods.allIds().forEach(id -> names.putIfAbsent(id, ModelMethods.title(id)));
    return names;
  }
}
