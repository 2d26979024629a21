package io.camhook.samples.plainjava;

/** The mean of every 3×3 square, with zeros around the map. */
final class SmoothLayer implements Layer {
  private static final int AREA = 9;

  private final int channels;
  private final int height;
  private final int width;

  /**
   * @param shape {@code [channels, height, width]}
   */
  SmoothLayer(int[] shape) {
    channels = shape[0];
    height = shape[1];
    width = shape[2];
  }

  @Override
  public float[] forward(float[] input) {
    return means(input);
  }

  /** A pixel is in the squares of its neighbours, so the operation is its own transpose. */
  @Override
  public float[] backward(float[] outputGradient) {
    return means(outputGradient);
  }

  private float[] means(float[] map) {
    float[] means = new float[map.length];
    for (int row = 0; row < channels * height; row++) {
      for (int x = 0; x < width; x++) {
        means[row * width + x] = sumAround(map, row, x) / AREA;
      }
    }
    return means;
  }

  private float sumAround(float[] map, int row, int x) {
    float sum = 0;
    int y = row % height;
    for (int v = Math.max(0, y - 1); v <= Math.min(height - 1, y + 1); v++) {
      for (int u = Math.max(0, x - 1); u <= Math.min(width - 1, x + 1); u++) {
        sum += map[(row - y + v) * width + u];
      }
    }
    return sum;
  }

  @Override
  public int[] outputShape() {
    return new int[] {channels, height, width};
  }
}
