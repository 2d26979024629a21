package io.camhook.cam.model;

import io.camhook.cam.CamException;
import io.camhook.cam.CamMethod;
import io.camhook.cam.CamMethods;
import io.camhook.naming.Nearest;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** The methods that run the model again, by their ids. Thread-safe. */
public final class ModelMethods {
  private static final Map<String, ModelMethod> METHODS = new LinkedHashMap<>();

  static {
    for (ModelMethod method :
        List.of(
            new ScoreCam(),
            new SsCam(),
            new IsCam(),
            new AblationCam(),
            new SmoothGradCamPlusPlus(),
            new FullGrad(),
            new GuidedGradCam(),
            new IntegratedGradients(),
            new SmoothGrad(),
            new GuidedBackprop(),
            new Occlusion(),
            new Rise(),
            new AttentionRollout(),
            new DRise())) {
      METHODS.put(method.id(), method);
    }
  }

  private ModelMethods() {}

  /**
   * The ids of all methods: those of {@link CamMethods}, then those that run the model again at
   * layers, then those of the input.
   */
  public static List<String> allIds() {
    List<String> all = new ArrayList<>(CamMethods.ids());
    all.addAll(METHODS.keySet());
    return all;
  }

  /** The method of that id, if it is one that runs the model. */
  public static Optional<ModelMethod> find(String id) {
    return Optional.ofNullable(METHODS.get(id));
  }

  /**
   * The title of a method, one of this class or of {@link CamMethods}; the id if there is no such
   * method.
   */
  public static String title(String id) {
    return CamMethods.find(id)
        .map(CamMethod::title)
        .or(() -> find(id).map(ModelMethod::title))
        .orElse(id);
  }

  /**
   * Normalises an id: {@code GradCAM}, {@code grad-cam} and {@code Grad_CAM} become {@code
   * gradcam}; an unknown id is returned unchanged.
   */
  public static String idOf(String text) {
    String plain = plain(text);
    for (String id : allIds()) {
      if (plain(id).equals(plain)) {
        return id;
      }
    }
    return text;
  }

  /** Without case and separators; {@code plusplus} is {@code ++}. */
  private static String plain(String name) {
    return name.toLowerCase(Locale.ROOT)
        .replaceAll("[-_ ]", "")
        .replace("plusplus", "++")
        .replaceAll("pp$", "++");
  }

  /**
   * Rejects an id that neither this class nor {@link CamMethods} knows; the message suggests the
   * nearest of both.
   *
   * @throws CamException if there is no such method
   */
  public static void requireKnown(String id) {
    if (find(id).isEmpty() && CamMethods.find(id).isEmpty()) {
      List<String> all = allIds();
      throw new CamException(
          "no CAM method '%s'; did you mean %s? All: %s"
              .formatted(id, Nearest.containing(id, all, 3), String.join(" ", all)));
    }
  }
}
