package io.camhook.samples.plainjava;

/** Scales bytes to -1..1: {@code y = x / 127.5 - 1}. */
final class ScaleLayer implements Layer {
  private static final float HALF = 127.5f;

  private final int[] shape;

  /**
   * @param shape {@code [channels, height, width]}
   */
  ScaleLayer(int[] shape) {
    this.shape = shape.clone();
  }

  @Override
  public float[] forward(float[] input) {
    float[] output = new float[input.length];
    for (int i = 0; i < output.length; i++) {
      output[i] = input[i] / HALF - 1;
    }
    return output;
  }

  @Override
  public float[] backward(float[] outputGradient) {
    float[] gradient = new float[outputGradient.length];
    for (int i = 0; i < gradient.length; i++) {
      gradient[i] = outputGradient[i] / HALF;
    }
    return gradient;
  }

  @Override
  public int[] outputShape() {
    return shape.clone();
  }
}
