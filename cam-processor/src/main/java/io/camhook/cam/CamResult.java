package io.camhook.cam;

import java.util.Map;

/**
 * The result of a method for one sample.
 *
 * @param method id of the method
 * @param call number of the call, for a module called several times in a pass; number of the input,
 *     for a method whose map lies over the input; otherwise 0
 * @param raw for each layer the map before ReLU and scaling, in the layer's spatial shape
 * @param heatmap 0..1 at the size of the input; 0 everywhere if no raw map has a positive value
 */
public record CamResult(String method, int call, Map<String, FloatMap> raw, FloatMap heatmap) {

  /** The map of the first call. */
  public CamResult(String method, Map<String, FloatMap> raw, FloatMap heatmap) {
    this(method, 0, raw, heatmap);
  }

  /** The same for another call or input. */
  public CamResult ofCall(int other) {
    return new CamResult(method, other, raw, heatmap);
  }

  /** {@code gradcam}; {@code gradcam#1} of the second call. */
  public String name() {
    return call == 0 ? method : method + "#" + call;
  }
}
