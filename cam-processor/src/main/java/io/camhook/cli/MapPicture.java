package io.camhook.cli;

import io.camhook.cam.CamResult;
import io.camhook.cam.FloatMap;
import io.camhook.explain.PictureFrame;
import io.camhook.recording.Tensor;
import io.camhook.render.Bilinear;
import io.camhook.render.ColourTable;
import io.camhook.render.Overlay;
import io.camhook.render.Picture;
import io.camhook.render.SignalChart;
import io.camhook.render.SliceSheet;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Draws a heatmap: over an image, as the background of a signal's lines, over a volume's slices
 * side by side, or behind a text's words; on its own if the input is unknown.
 */
final class MapPicture {
  private static final ColourTable COLOURS = ColourTable.JET;

  private MapPicture() {}

  /**
   * Draws.
   *
   * @param heatmap {@code [L]}, {@code [H,W]} or {@code [D,H,W]}
   * @param image the input, if it is an image and was recorded
   * @param input the sample's input tensor, channels first, without the batch; null if not recorded
   * @return null for other shapes
   */
  static @Nullable Picture of(FloatMap heatmap, @Nullable Picture image, @Nullable Tensor input) {
    int[] shape = heatmap.shape();
    float[] heat = heatmap.values();
    return switch (shape.length) {
      case 1 -> signal(heat, input);
      case 2 -> image(heat, shape, image);
      case 3 -> volume(heat, shape, input);
      default -> null;
    };
  }

  /** The map of one method; for a text, its words on coloured backgrounds. */
  static @Nullable Picture of(Explanation explanation, CamResult result, @Nullable Tensor input) {
    WordMap words = WordMap.of(FedInput.words(explanation), result);
    Picture picture = words == null ? null : words.picture();
    return picture == null ? of(result.heatmap(), explanation.picture(), input) : picture;
  }

  /** Draws over the user's picture; the part outside the model's input is unchanged. */
  static @Nullable Picture over(FloatMap heatmap, PictureFrame frame) {
    if (heatmap.rank() != 2) {
      return of(heatmap, null, null);
    }
    Picture original = frame.original();
    int left = Math.max(0, (int) Math.round(frame.left()));
    int top = Math.max(0, (int) Math.round(frame.top()));
    int right = Math.min(original.width(), (int) Math.round(frame.left() + frame.width()));
    int bottom = Math.min(original.height(), (int) Math.round(frame.top() + frame.height()));
    int[] size = {
      Math.max(1, (int) Math.round(frame.height())), Math.max(1, (int) Math.round(frame.width()))
    };
    float[] heat = Bilinear.resize(heatmap.values(), heatmap.shape(), size);
    int offsetRow = top - (int) Math.round(frame.top());
    int offsetColumn = left - (int) Math.round(frame.left());
    int width = Math.min(right - left, size[1] - offsetColumn);
    int height = Math.min(bottom - top, size[0] - offsetRow);
    byte[] part = new byte[width * height * 3];
    float[] seen = new float[width * height];
    for (int y = 0; y < height; y++) {
      System.arraycopy(
          original.rgb(),
          ((top + y) * original.width() + left) * 3,
          part,
          y * width * 3,
          width * 3);
      System.arraycopy(heat, (y + offsetRow) * size[1] + offsetColumn, seen, y * width, width);
    }
    byte[] overlay = Overlay.of(new Picture(width, height, part), seen).rgb();
    byte[] whole = original.rgb().clone();
    for (int y = 0; y < height; y++) {
      System.arraycopy(
          overlay, y * width * 3, whole, ((top + y) * original.width() + left) * 3, width * 3);
    }
    return new Picture(original.width(), original.height(), whole);
  }

  private static Picture image(float[] heat, int[] shape, @Nullable Picture image) {
    if (image == null) {
      return COLOURS.paint(heat, shape[1], shape[0]);
    }
    int[] size = {image.height(), image.width()};
    return Overlay.of(image, Bilinear.resize(heat, shape, size));
  }

  /** A line for each channel; without the signal the heat itself is the line. */
  private static Picture signal(float[] heat, @Nullable Tensor input) {
    if (input == null || input.rank() != 2 || input.size(1) != heat.length) {
      return SignalChart.of(heat, 1, heat, COLOURS);
    }
    return SignalChart.of(input.toFloats(), (int) input.size(0), heat, COLOURS);
  }

  private static Picture volume(float[] heat, int[] shape, @Nullable Tensor input) {
    long[] wanted = Arrays.stream(shape).asLongStream().toArray();
    if (input == null
        || input.rank() != 4
        || !Arrays.equals(Arrays.copyOfRange(input.shape(), 1, 4), wanted)) {
      return SliceSheet.of(heat, shape[0], shape[1], shape[2], COLOURS);
    }
    float[] mean = means(input.toFloats(), heat.length);
    return SliceSheet.of(mean, heat, shape[0], shape[1], shape[2], COLOURS);
  }

  /** Mean over the channels. */
  private static float[] means(float[] values, int positions) {
    float[] means = new float[positions];
    int channels = values.length / positions;
    for (int i = 0; i < values.length; i++) {
      means[i % positions] += values[i] / channels;
    }
    return means;
  }
}
