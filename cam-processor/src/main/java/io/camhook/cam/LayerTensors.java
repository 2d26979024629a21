package io.camhook.cam;

import io.camhook.recording.Tensor;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The recorded tensors of one layer, for a whole batch, in the layer's own layout.
 *
 * @param path module path
 * @param activation A: {@code [N,C,L]}, {@code [N,C,H,W]}, {@code [N,C,D,H,W]}, tokens {@code
 *     [N,T,D]} or channels last {@code [N,H,W,C]}
 * @param gradient g, of the shape of A
 * @param finerGradient gradient of FinerCAM's target with respect to A, of the shape of A
 * @param classifierRows {@code [N,C]}: for each sample, the row of its target class in the linear
 *     layer after a global average pooling of A
 * @param curvature H·A, of the shape of A
 * @param layout the layout, or null to find it from the shapes
 */
public record LayerTensors(
    String path,
    Tensor activation,
    @Nullable Tensor gradient,
    @Nullable Tensor finerGradient,
    @Nullable Tensor classifierRows,
    @Nullable Tensor curvature,
    @Nullable Layout layout) {

  public LayerTensors {
    requireShape(path, "gradient", activation, gradient);
    requireShape(path, "FinerCAM gradient", activation, finerGradient);
    requireShape(path, "curvature", activation, curvature);
  }

  /** A, and g if there is one. */
  public static LayerTensors of(String path, Tensor activation, @Nullable Tensor gradient) {
    return new LayerTensors(path, activation, gradient, null, null, null, null);
  }

  public LayerTensors withClassifierRows(@Nullable Tensor rows) {
    return new LayerTensors(path, activation, gradient, finerGradient, rows, curvature, layout);
  }

  public LayerTensors withFinerGradient(@Nullable Tensor finer) {
    return new LayerTensors(path, activation, gradient, finer, classifierRows, curvature, layout);
  }

  public LayerTensors withCurvature(@Nullable Tensor product) {
    return new LayerTensors(
        path, activation, gradient, finerGradient, classifierRows, product, layout);
  }

  public LayerTensors withLayout(@Nullable Layout wanted) {
    return new LayerTensors(
        path, activation, gradient, finerGradient, classifierRows, curvature, wanted);
  }

  /** Number of samples in the batch. */
  public int samples() {
    return activation.rank() == 0 ? 1 : (int) activation.size(0);
  }

  /**
   * The layout: the given one, otherwise the detected one.
   *
   * @param inputShape shape of the model's input with the batch first; empty if unknown
   */
  public Layout layoutFor(long[] inputShape) {
    return layout != null ? layout : Layout.detect(path, activation.shape(), inputShape);
  }

  /**
   * The shape of the layer's positions.
   *
   * @throws CamException if there is no sample {@code index}, or the layer has no spatial extent
   */
  int[] spatial(int index, long[] inputShape) {
    if (index < 0 || index >= samples()) {
      throw new CamException(
          "layer %s holds %d samples, found index %d".formatted(path, samples(), index));
    }
    long[] shape = activation.shape();
    int[] spatial = layoutFor(inputShape).spatial(path, shape);
    if (FloatMap.positions(spatial) < 2) {
      throw new CamException(
          "layer %s has an output of shape %s with a single position, so there is no map of it; choose an earlier layer"
              .formatted(path, Arrays.toString(shape)));
    }
    return spatial;
  }

  /**
   * Sample {@code index} of the batch, channels first.
   *
   * @throws CamException if the layer has no spatial extent, or holds NaN or infinite values
   */
  public LayerSample sample(int index, long[] inputShape) {
    int[] spatial = spatial(index, inputShape);
    long[] shape = activation.shape();
    Layout found = layoutFor(inputShape);
    return new LayerSample(
        path,
        found.channels(shape),
        spatial,
        finite("activation", activation, found, index),
        gradient == null ? null : finite("gradient", gradient, found, index),
        finerGradient == null ? null : finite("FinerCAM gradient", finerGradient, found, index),
        classifierRow(index, found.channels(shape)),
        curvature == null ? null : finite("curvature", curvature, found, index));
  }

  private float[] finite(String what, Tensor tensor, Layout found, int index) {
    float[] values = found.channelsFirst(tensor.toFloats(), tensor.shape(), index);
    // An exponent of all ones, which NaN and infinity have, carries into the sign bit.
    int carries = 0;
    for (float v : values) {
      carries |= (Float.floatToRawIntBits(v) & 0x7f800000) + 0x00800000;
    }
    if (carries < 0) {
      throw new CamException(NonFinite.describe("the " + what + " of layer " + path, values));
    }
    return values;
  }

  /**
   * The row of the sample's class, or null if the linear layer expects another number of channels.
   */
  private float @Nullable [] classifierRow(int index, int channels) {
    if (classifierRows == null || classifierRows.size(classifierRows.rank() - 1) != channels) {
      return null;
    }
    int from = classifierRows.rank() == 1 ? 0 : index * channels;
    return Arrays.copyOfRange(classifierRows.toFloats(), from, from + channels);
  }

  private static void requireShape(String path, String what, Tensor a, @Nullable Tensor other) {
    if (other != null && !Arrays.equals(a.shape(), other.shape())) {
      throw new CamException(
          "layer %s: the %s has shape %s, expected that of the activation, %s"
              .formatted(path, what, Arrays.toString(other.shape()), Arrays.toString(a.shape())));
    }
  }
}
