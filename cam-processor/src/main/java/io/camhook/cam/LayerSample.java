package io.camhook.cam;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * One sample of one layer, channels first: what a CAM method sees. All arrays are row-major {@code
 * [C, P]} with P the product of {@code spatial}, and must not be written.
 *
 * @param path module path, for messages
 * @param channels C
 * @param spatial {@code [L]}, {@code [H,W]} or {@code [D,H,W]}
 * @param activation A
 * @param gradient g, the gradient of the target score with respect to A
 * @param finerGradient the gradient of FinerCAM's target with respect to A
 * @param classifierRow {@code [C]}: weights of the target class in the linear layer after a global
 *     average pooling of A
 * @param curvature H·A, the product of A with the Hessian of the target score with respect to A
 */
public record LayerSample(
    String path,
    int channels,
    int[] spatial,
    float[] activation,
    float @Nullable [] gradient,
    float @Nullable [] finerGradient,
    float @Nullable [] classifierRow,
    float @Nullable [] curvature) {

  public LayerSample {
    spatial = spatial.clone();
    int expected = channels * FloatMap.positions(spatial);
    requireLength(path, "activation", expected, activation);
    requireLength(path, "gradient", expected, gradient);
    requireLength(path, "FinerCAM gradient", expected, finerGradient);
    requireLength(path, "classifier row", channels, classifierRow);
    requireLength(path, "curvature", expected, curvature);
  }

  /** A sample with A and, optionally, g. */
  public static LayerSample of(
      String path, int[] spatial, float[] activation, float @Nullable [] gradient) {
    int channels = activation.length / Math.max(1, FloatMap.positions(spatial));
    return new LayerSample(path, channels, spatial, activation, gradient, null, null, null);
  }

  /** P, the number of positions. */
  public int positions() {
    return FloatMap.positions(spatial);
  }

  /**
   * The gradient g.
   *
   * @throws CamException naming {@code method} if it is missing
   */
  float[] requireGradient(String method) {
    if (gradient == null) {
      throw Requirement.GRADIENT.missing(method, path);
    }
    return gradient;
  }

  /** A map over the positions of this layer. */
  FloatMap map(double[] values) {
    return FloatMap.of(values, spatial);
  }

  private static void requireLength(
      String path, String what, int expected, float @Nullable [] values) {
    if (values != null && values.length != expected) {
      throw new CamException(
          "layer %s: expected %d values of the %s, found %d"
              .formatted(path, expected, what, values.length));
    }
  }

  @Override
  public String toString() {
    return "LayerSample[" + path + ", C=" + channels + ", " + Arrays.toString(spatial) + "]";
  }
}
