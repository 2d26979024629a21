package io.camhook.capture;

import io.camhook.recording.Tensor;
import java.util.Optional;

/**
 * The picture in a network's input, {@code [N,C,H,W]}, {@code [N,H,W,C]} or {@code [N,H,W]} with 1
 * or 3 channels, as uint8 {@code [H,W,3]} or {@code [N,H,W,3]}. Values from 0 to 1 and from 0 to
 * 255 keep their meaning; others are spread from the least to the greatest.
 */
public final class InputPicture {
  private InputPicture() {}

  /** The picture; empty if the input is not one. */
  public static Optional<Tensor> of(Tensor input) {
    if (input.rank() == 3) {
      return Optional.of(draw(input, input.size(1), input.size(2), 1, false));
    }
    if (input.rank() != 4) {
      return Optional.empty();
    }
    if (isColours(input.size(1))) {
      return Optional.of(draw(input, input.size(2), input.size(3), (int) input.size(1), false));
    }
    if (isColours(input.size(3))) {
      return Optional.of(draw(input, input.size(1), input.size(2), (int) input.size(3), true));
    }
    return Optional.empty();
  }

  private static boolean isColours(long channels) {
    return channels == 1 || channels == 3;
  }

  private static Tensor draw(
      Tensor input, long height, long width, int channels, boolean channelsLast) {
    float[] values = input.toFloats();
    int samples = (int) input.size(0);
    int plane = Math.toIntExact(height * width);
    float least = Float.POSITIVE_INFINITY;
    float most = Float.NEGATIVE_INFINITY;
    for (float value : values) {
      least = Math.min(least, value);
      most = Math.max(most, value);
    }
    boolean known = least >= 0 && most <= 255;
    float offset = known ? 0 : least;
    float scale = known ? (most <= 1 ? 255 : 1) : most > least ? 255 / (most - least) : 0;
    byte[] pixels = new byte[samples * plane * 3];
    for (int sample = 0; sample < samples; sample++) {
      for (int at = 0; at < plane; at++) {
        for (int c = 0; c < 3; c++) {
          int channel = channels == 1 ? 0 : c;
          int from =
              channelsLast
                  ? (sample * plane + at) * channels + channel
                  : (sample * channels + channel) * plane + at;
          pixels[(sample * plane + at) * 3 + c] =
              (byte) Math.round((values[from] - offset) * scale);
        }
      }
    }
    return samples == 1
        ? Tensor.ofBytes(pixels, height, width, 3)
        : Tensor.ofBytes(pixels, samples, height, width, 3);
  }
}
