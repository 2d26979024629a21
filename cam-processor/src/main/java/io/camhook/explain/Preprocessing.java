package io.camhook.explain;

import io.camhook.recording.Tensor;
import io.camhook.render.Picture;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Converts a picture to a model's input: resizes it, then computes {@code (value / 255 - mean) /
 * std} per channel, as float32 {@code [1,C,H,W]} with C 1 (grey), 3 (RGB) or 4 (RGB and alpha).
 * Immutable and thread-safe.
 */
public final class Preprocessing {
  private static final int RGB = 3;
  private static final float[] IMAGENET_MEAN = {0.485f, 0.456f, 0.406f};
  private static final float[] IMAGENET_STD = {0.229f, 0.224f, 0.225f};

  private final int height;
  private final int width;
  private final Fit fit;
  private final int channels;
  private final float @Nullable [] mean;
  private final float @Nullable [] std;

  private Preprocessing(
      int height,
      int width,
      Fit fit,
      int channels,
      float @Nullable [] mean,
      float @Nullable [] std) {
    this.height = height;
    this.width = width;
    this.fit = fit;
    this.channels = channels;
    this.mean = mean;
    this.std = std;
  }

  /** The result of preprocessing a picture. */
  record Fed(Tensor tensor, Picture picture, PictureFrame frame) {}

  /**
   * A centre crop of 224 by 224 RGB pixels with ImageNet's mean and standard deviation, as
   * torchvision's classifiers expect.
   */
  public static Preprocessing imageNet() {
    return new Preprocessing(224, 224, Fit.CROP, RGB, null, null);
  }

  /** The same for pictures of another size. */
  public Preprocessing withSize(int newHeight, int newWidth) {
    if (newHeight < 1 || newWidth < 1) {
      throw new IllegalArgumentException(
          "expected a height and width of at least 1, found %d and %d"
              .formatted(newHeight, newWidth));
    }
    return new Preprocessing(newHeight, newWidth, fit, channels, mean, std);
  }

  /** The same with another way of fitting pictures to the size. */
  public Preprocessing withFit(Fit wanted) {
    return new Preprocessing(height, width, wanted, channels, mean, std);
  }

  /**
   * The same with another mean and deviation, each of one value or of one per channel; null keeps
   * ImageNet's.
   */
  public Preprocessing withNormalisation(float @Nullable [] newMean, float @Nullable [] newStd) {
    requireLength("mean", newMean);
    requireLength("std", newStd);
    for (float value : newStd == null ? new float[0] : newStd) {
      if (!(value > 0)) {
        throw new IllegalArgumentException("expected deviations above 0, found " + value);
      }
    }
    return new Preprocessing(height, width, fit, channels, newMean, newStd);
  }

  private static void requireLength(String what, float @Nullable [] values) {
    if (values != null && values.length != 1 && values.length != RGB && values.length != 4) {
      throw new IllegalArgumentException(
          "expected 1, 3 or 4 values of %s, found %d".formatted(what, values.length));
    }
  }

  /** The same for a model that expects pictures with the given number of channels. */
  public Preprocessing withChannels(int wanted) {
    return new Preprocessing(height, width, fit, wanted, mean, std);
  }

  /** A notice about a choice that the user did not make; null if there is none. */
  public @Nullable String notice() {
    return channels == 1 && (mean == null || std == null)
        ? "the model takes one channel: pictures are converted to grey, with the average of"
            + " ImageNet's mean and standard deviation; set others with --mean and --std"
        : null;
  }

  private float[] perChannel(String what, float @Nullable [] values, float[] usual) {
    if (values != null && values.length == 1) {
      float[] all = new float[channels];
      Arrays.fill(all, values[0]);
      return all;
    }
    if (values == null && channels == 1) {
      return new float[] {(usual[0] + usual[1] + usual[2]) / 3};
    }
    float[] given = values == null ? usual : values.clone();
    if (given.length != channels) {
      throw new ExplainException(
          "the model takes pictures of %d channel%s, and --%s has %d values%s; give it %d"
              .formatted(
                  channels,
                  channels == 1 ? "" : "s",
                  what,
                  given.length,
                  values == null ? " by default" : "",
                  channels));
    }
    return given;
  }

  /** Preprocesses a picture. */
  Fed feed(Pixels decoded) {
    Pixels pixels = decoded.as(channels);
    float[] means = perChannel("mean", mean, IMAGENET_MEAN);
    Picture original = decoded.toPicture();
    double across = (double) width / pixels.width();
    double down = (double) height / pixels.height();
    double scale = fit == Fit.CROP ? Math.max(across, down) : Math.min(across, down);
    boolean widthFits = scale == across;
    int newWidth = width;
    int newHeight = height;
    if (fit != Fit.STRETCH) {
      // torchvision: int(size * long / short)
      newWidth =
          widthFits ? width : Math.max(1, (int) ((long) height * pixels.width() / pixels.height()));
      newHeight =
          widthFits ? Math.max(1, (int) ((long) width * pixels.height() / pixels.width())) : height;
    }
    // Python rounds halves to the even number.
    int top = (int) Math.rint((newHeight - height) / 2.0);
    int left = (int) Math.rint((newWidth - width) / 2.0);
    byte[] fill = new byte[channels];
    for (int c = 0; c < channels; c++) {
      fill[c] = (byte) Math.max(0, Math.min(255, Math.round(means[c] * 255)));
    }
    Pixels fed = pixels.resized(newHeight, newWidth);
    if (top != 0 || left != 0 || newHeight != height || newWidth != width) {
      fed = fed.part(top, left, height, width, fill);
    }
    double columns = (double) pixels.width() / newWidth;
    double rows = (double) pixels.height() / newHeight;
    PictureFrame frame =
        new PictureFrame(original, left * columns, top * rows, width * columns, height * rows);
    return new Fed(tensor(fed), fed.toPicture(), frame);
  }

  private Tensor tensor(Pixels pixels) {
    float[] means = perChannel("mean", mean, IMAGENET_MEAN);
    float[] deviations = perChannel("std", std, IMAGENET_STD);
    int positions = pixels.height() * pixels.width();
    float[] values = new float[channels * positions];
    for (int c = 0; c < channels; c++) {
      for (int p = 0; p < positions; p++) {
        int value = pixels.values()[p * channels + c] & 0xff;
        values[c * positions + p] = (value / 255f - means[c]) / deviations[c];
      }
    }
    return Tensor.ofFloats(values, 1, channels, pixels.height(), pixels.width());
  }
}
