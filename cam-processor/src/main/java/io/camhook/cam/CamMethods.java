package io.camhook.cam;

import io.camhook.naming.Nearest;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** The methods that need only activations and gradients, by their ids. Thread-safe. */
public final class CamMethods {
  private static final Map<String, CamMethod> METHODS = new LinkedHashMap<>();

  static {
    for (CamMethod method :
        List.of(
            new Cam(),
            new GradCam(),
            new HiResCam(),
            new GradCamElementWise(),
            new GradCamPlusPlus(),
            new XGradCam(),
            new LayerCam(),
            new EigenCam(),
            new EigenGradCam(),
            new SegEigenCam(),
            new KpcaCam(),
            new Fem(),
            new FinerCam(),
            new ShapleyCam(),
            new RefineCam(),
            new RandomCam())) {
      METHODS.put(method.id(), method);
    }
  }

  private CamMethods() {}

  /** The ids, in the order of the documentation. */
  public static Set<String> ids() {
    return java.util.Collections.unmodifiableSet(METHODS.keySet());
  }

  /** The method with that id, if it needs only activations and gradients. */
  public static Optional<CamMethod> find(String id) {
    return Optional.ofNullable(METHODS.get(id));
  }

  /**
   * The method with that id.
   *
   * @throws CamException if there is none, naming the nearest ids
   */
  public static CamMethod byId(String id) {
    return find(id)
        .orElseThrow(
            () ->
                new CamException(
                    "no CAM method '%s'; did you mean %s? All: %s"
                        .formatted(
                            id, Nearest.containing(id, METHODS.keySet(), 3), METHODS.keySet())));
  }
}
