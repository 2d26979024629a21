package io.camhook.samples.plainjava;

import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/**
 * A convolution with bias, zero-padded so that stride 1 keeps the size. It copies the input of the
 * filters at every output pixel into a matrix (one patch per pixel), so that only matrix products
 * remain.
 */
final class ConvLayer implements Layer {
  private final int inChannels;
  private final int inHeight;
  private final int inWidth;
  private final int outChannels;
  private final int outHeight;
  private final int outWidth;
  private final int kernel;
  private final int stride;
  private final Parameter weight;
  private final Parameter bias;
  private float[] input = {};

  /**
   * @param inShape {@code [channels, height, width]}
   * @param kernel its width and height, odd
   */
  ConvLayer(int[] inShape, int outChannels, int kernel, int stride) {
    this.inChannels = inShape[0];
    this.inHeight = inShape[1];
    this.inWidth = inShape[2];
    this.outChannels = outChannels;
    this.outHeight = (inHeight - 1) / stride + 1;
    this.outWidth = (inWidth - 1) / stride + 1;
    this.kernel = kernel;
    this.stride = stride;
    this.weight = new Parameter(outChannels * inChannels * kernel * kernel);
    this.bias = new Parameter(outChannels);
  }

  /** With random weights. */
  ConvLayer initialise(SplittableRandom random) {
    weight.initialise(random, patchSize());
    return this;
  }

  @Override
  public float[] forward(float[] input) {
    this.input = input;
    int area = outHeight * outWidth;
    float[] patches = new float[patchSize() * area];
    unfold(input, patches, area, 1);
    float[] output = new float[outChannels * area];
    for (int o = 0; o < outChannels; o++) {
      Arrays.fill(output, o * area, (o + 1) * area, bias.value[o]);
      for (int r = 0; r < patchSize(); r++) {
        addScaled(weight.value[o * patchSize() + r], patches, r * area, output, o * area, area);
      }
    }
    return output;
  }

  @Override
  public float[] backward(float[] outputGradient) {
    int area = outHeight * outWidth;
    int size = patchSize();
    float[] patches = new float[size * area];
    unfold(input, patches, 1, size);
    float[] patchGradient = new float[size * area];
    for (int o = 0; o < outChannels; o++) {
      for (int p = 0; p < area; p++) {
        float g = outputGradient[o * area + p];
        if (g != 0) {
          addScaled(g, patches, p * size, weight.gradient, o * size, size);
          addScaled(g, weight.value, o * size, patchGradient, p * size, size);
          bias.gradient[o] += g;
        }
      }
    }
    return fold(patchGradient);
  }

  @Override
  public int[] outputShape() {
    return new int[] {outChannels, outHeight, outWidth};
  }

  @Override
  public List<Parameter> parameters() {
    return List.of(weight, bias);
  }

  private int patchSize() {
    return inChannels * kernel * kernel;
  }

  /**
   * Copies the patches; the padding stays 0.
   *
   * @param alongPatch from one element of a patch to the next
   * @param alongPixels from the patch of one output pixel to that of the next
   */
  private void unfold(float[] input, float[] patches, int alongPatch, int alongPixels) {
    for (int r = 0; r < patchSize(); r++) {
      int shift = r % kernel - kernel / 2;
      for (int y = 0; y < outHeight; y++) {
        int row = inputRow(r, y);
        if (row >= 0) {
          int to = r * alongPatch + y * outWidth * alongPixels;
          for (int x = firstColumn(shift); x < endColumn(shift); x++) {
            patches[to + x * alongPixels] = input[row + x * stride + shift];
          }
        }
      }
    }
  }

  /** The transpose of {@link #unfold}: every input pixel sums the values of its copies. */
  private float[] fold(float[] patchGradient) {
    float[] inputGradient = new float[inChannels * inHeight * inWidth];
    int size = patchSize();
    for (int r = 0; r < size; r++) {
      int shift = r % kernel - kernel / 2;
      for (int y = 0; y < outHeight; y++) {
        int row = inputRow(r, y);
        if (row >= 0) {
          for (int x = firstColumn(shift); x < endColumn(shift); x++) {
            inputGradient[row + x * stride + shift] += patchGradient[(y * outWidth + x) * size + r];
          }
        }
      }
    }
    return inputGradient;
  }

  /** Where the input row begins that patch element r sees at output row y; −1 in the padding. */
  private int inputRow(int r, int y) {
    int channel = r / (kernel * kernel);
    int row = y * stride + r / kernel % kernel - kernel / 2;
    return row < 0 || row >= inHeight ? -1 : (channel * inHeight + row) * inWidth;
  }

  private int firstColumn(int shift) {
    return shift >= 0 ? 0 : (stride - 1 - shift) / stride;
  }

  private int endColumn(int shift) {
    return Math.min(outWidth, (inWidth - 1 - shift) / stride + 1);
  }

  private static void addScaled(float a, float[] x, int xAt, float[] y, int yAt, int n) {
    for (int i = 0; i < n; i++) {
      y[yAt + i] += a * x[xAt + i];
    }
  }
}
