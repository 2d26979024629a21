package io.camhook.explain;

import io.camhook.recording.Tensor;
import io.camhook.render.Picture;

/**
 * From a picture to what a model is fed: resized, then {@code (rgb / 255 - mean) / std} per
 * channel, as float32 {@code [1,3,H,W]}. Immutable and thread-safe.
 */
public final class Preprocessing {
  private static final int CHANNELS = 3;

  private final int height;
  private final int width;
  private final float[] mean;
  private final float[] std;

  private Preprocessing(int height, int width, float[] mean, float[] std) {
    this.height = height;
    this.width = width;
    this.mean = mean;
    this.std = std;
  }

  /**
   * 224 by 224 pixels and the mean and deviation of ImageNet, as torchvision's classifiers want.
   */
  public static Preprocessing imageNet() {
    return new Preprocessing(
        224, 224, new float[] {0.485f, 0.456f, 0.406f}, new float[] {0.229f, 0.224f, 0.225f});
  }

  /** The same for pictures of another size. */
  public Preprocessing withSize(int newHeight, int newWidth) {
    if (newHeight < 1 || newWidth < 1) {
      throw new IllegalArgumentException(
          "expected a height and width of at least 1, found %d and %d"
              .formatted(newHeight, newWidth));
    }
    return new Preprocessing(newHeight, newWidth, mean, std);
  }

  /** The same with another mean and deviation, each of one value or of one per channel. */
  public Preprocessing withNormalisation(float[] newMean, float[] newStd) {
    for (float value : newStd) {
      if (!(value > 0)) {
        throw new IllegalArgumentException("expected deviations above 0, found " + value);
      }
    }
    return new Preprocessing(height, width, perChannel("mean", newMean), perChannel("std", newStd));
  }

  private static float[] perChannel(String what, float[] values) {
    if (values.length == CHANNELS) {
      return values.clone();
    }
    if (values.length == 1) {
      return new float[] {values[0], values[0], values[0]};
    }
    throw new IllegalArgumentException(
        "expected 1 or 3 values of %s, found %d".formatted(what, values.length));
  }

  /** The picture as it is fed, before normalisation. */
  public Picture resize(Picture picture) {
    return PictureResize.resize(picture, height, width);
  }

  /** What a resized picture becomes. */
  public Tensor tensor(Picture picture) {
    int positions = picture.height() * picture.width();
    byte[] rgb = picture.rgb();
    float[] values = new float[CHANNELS * positions];
    for (int c = 0; c < CHANNELS; c++) {
      for (int p = 0; p < positions; p++) {
        values[c * positions + p] = ((rgb[p * CHANNELS + c] & 0xff) / 255f - mean[c]) / std[c];
      }
    }
    return Tensor.ofFloats(values, 1, CHANNELS, picture.height(), picture.width());
  }
}
