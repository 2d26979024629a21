package io.camhook.samples.plainjava;

/** max(0, x). */
final class ReluLayer implements Layer {
  private final int[] shape;
  private float[] output = {};

  ReluLayer(int[] shape) {
    this.shape = shape.clone();
  }

  @Override
  public float[] forward(float[] input) {
    float[] result = new float[input.length];
    for (int i = 0; i < result.length; i++) {
      result[i] = Math.max(0, input[i]);
    }
    output = result;
    return result;
  }

  @Override
  public float[] backward(float[] outputGradient) {
    float[] inputGradient = new float[outputGradient.length];
    for (int i = 0; i < inputGradient.length; i++) {
      inputGradient[i] = output[i] > 0 ? outputGradient[i] : 0;
    }
    return inputGradient;
  }

  @Override
  public int[] outputShape() {
    return shape.clone();
  }
}
