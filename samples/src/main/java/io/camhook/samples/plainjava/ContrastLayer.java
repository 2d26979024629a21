package io.camhook.samples.plainjava;

/**
 * Gives every channel mean 0 and all channels together variance 1, so that the network sees
 * contrasts instead of colours: {@code y = (x − mean) / √(variance + 1)}. The 1 keeps a picture of
 * one colour at 0.
 */
final class ContrastLayer implements Layer {
  private final int[] shape;
  private final int area;
  private float[] centred = {};
  private float scale;

  /**
   * @param shape {@code [channels, height, width]}
   */
  ContrastLayer(int[] shape) {
    this.shape = shape.clone();
    this.area = shape[1] * shape[2];
  }

  @Override
  public float[] forward(float[] input) {
    float[] z = centred(input);
    double squares = 0;
    for (float value : z) {
      squares += value * value;
    }
    float s = (float) (1 / Math.sqrt(squares / z.length + 1));
    float[] output = new float[z.length];
    for (int i = 0; i < output.length; i++) {
      output[i] = z[i] * s;
    }
    centred = z;
    scale = s;
    return output;
  }

  /** {@code dz = s g − s³ z Σ(g z) / n}, and dx is dz with the mean taken off every channel. */
  @Override
  public float[] backward(float[] outputGradient) {
    double product = 0;
    for (int i = 0; i < outputGradient.length; i++) {
      product += outputGradient[i] * centred[i];
    }
    float shrink = (float) (scale * scale * scale * product / outputGradient.length);
    float[] gradient = new float[outputGradient.length];
    for (int i = 0; i < gradient.length; i++) {
      gradient[i] = scale * outputGradient[i] - shrink * centred[i];
    }
    return centred(gradient);
  }

  private float[] centred(float[] values) {
    float[] result = new float[values.length];
    for (int c = 0; c < shape[0]; c++) {
      double sum = 0;
      for (int i = c * area; i < (c + 1) * area; i++) {
        sum += values[i];
      }
      float mean = (float) (sum / area);
      for (int i = c * area; i < (c + 1) * area; i++) {
        result[i] = values[i] - mean;
      }
    }
    return result;
  }

  @Override
  public int[] outputShape() {
    return shape.clone();
  }
}
