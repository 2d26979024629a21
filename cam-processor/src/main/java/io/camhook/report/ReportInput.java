package io.camhook.report;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An input that is not a picture, and overlays of a picture. Arrays are not copied and must not
 * change afterwards.
 *
 * @param signal a sequence of numbers, null if the input is not a signal
 * @param volume slices, null if the input is not a volume
 * @param tokens words, one per position of maps of shape {@code [T]}; empty if the input is not a
 *     text
 * @param boxes a detector's boxes, in pixels of the picture; may be empty
 * @param segmentation class of each position, null if the model returns none
 */
public record ReportInput(
    @Nullable Signal signal,
    @Nullable Volume volume,
    List<String> tokens,
    List<Box> boxes,
    @Nullable Segmentation segmentation) {

  /** Nothing but the picture, if there is one. */
  public static final ReportInput NONE = new ReportInput(null, null, List.of(), List.of(), null);

  public ReportInput {
    tokens = List.copyOf(tokens);
    boxes = List.copyOf(boxes);
  }

  /**
   * A signal.
   *
   * @param channels number of lines
   * @param length positions of each
   * @param values {@code [channels, length]}
   */
  public record Signal(int channels, int length, float[] values) {
    public Signal {
      require("signal", (long) channels * length, values.length);
    }
  }

  /**
   * A volume, the mean over its channels.
   *
   * @param depth slices
   * @param height rows
   * @param width columns
   * @param values {@code [depth, height, width]}
   */
  public record Volume(int depth, int height, int width, float[] values) {
    public Volume {
      require("volume", (long) depth * height * width, values.length);
    }
  }

  /**
   * A box found by a detector.
   *
   * @param label class
   * @param score 0..1, NaN if unknown
   * @param x0 left edge in pixels of the picture
   * @param y0 upper edge
   * @param x1 right edge
   * @param y1 lower edge
   */
  public record Box(String label, double score, double x0, double y0, double x1, double y1) {}

  /**
   * The class of each position of the picture.
   *
   * @param width columns
   * @param height rows
   * @param classes row-major, position in {@code labels}
   * @param labels names of the classes
   */
  public record Segmentation(int width, int height, byte[] classes, List<String> labels) {
    public Segmentation {
      require("segmentation", (long) width * height, classes.length);
      labels = List.copyOf(labels);
    }
  }

  private static void require(String what, long needed, int found) {
    if (needed != found) {
      throw new IllegalArgumentException(
          "%s needs %d values, found %d".formatted(what, needed, found));
    }
  }
}
