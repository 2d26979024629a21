package io.camhook.samples.plainjava;

/** The maximum of every 2×2 square. */
final class MaxPoolLayer implements Layer {
  private final int channels;
  private final int height;
  private final int width;
  private int[] winners = {};

  /**
   * @param inShape {@code [channels, height, width]}, height and width even
   */
  MaxPoolLayer(int[] inShape) {
    channels = inShape[0];
    height = inShape[1] / 2;
    width = inShape[2] / 2;
  }

  @Override
  public float[] forward(float[] input) {
    float[] output = new float[channels * height * width];
    int[] won = new int[output.length];
    for (int i = 0; i < output.length; i++) {
      int corner = i / width * 4 * width + i % width * 2;
      int best = corner;
      best = input[corner + 1] > input[best] ? corner + 1 : best;
      best = input[corner + 2 * width] > input[best] ? corner + 2 * width : best;
      best = input[corner + 2 * width + 1] > input[best] ? corner + 2 * width + 1 : best;
      output[i] = input[best];
      won[i] = best;
    }
    winners = won;
    return output;
  }

  @Override
  public float[] backward(float[] outputGradient) {
    float[] inputGradient = new float[outputGradient.length * 4];
    for (int i = 0; i < outputGradient.length; i++) {
      inputGradient[winners[i]] = outputGradient[i];
    }
    return inputGradient;
  }

  @Override
  public int[] outputShape() {
    return new int[] {channels, height, width};
  }
}
