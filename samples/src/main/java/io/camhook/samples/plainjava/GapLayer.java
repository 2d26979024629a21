package io.camhook.samples.plainjava;

/** Global average pooling: the mean of every channel. */
final class GapLayer implements Layer {
  private final int channels;
  private final int area;

  /**
   * @param inShape {@code [channels, height, width]}
   */
  GapLayer(int[] inShape) {
    channels = inShape[0];
    area = inShape[1] * inShape[2];
  }

  @Override
  public float[] forward(float[] input) {
    float[] means = new float[channels];
    for (int c = 0; c < channels; c++) {
      float sum = 0;
      for (int i = c * area; i < (c + 1) * area; i++) {
        sum += input[i];
      }
      means[c] = sum / area;
    }
    return means;
  }

  @Override
  public float[] backward(float[] outputGradient) {
    float[] inputGradient = new float[channels * area];
    for (int i = 0; i < inputGradient.length; i++) {
      inputGradient[i] = outputGradient[i / area] / area;
    }
    return inputGradient;
  }

  @Override
  public int[] outputShape() {
    return new int[] {channels};
  }
}
