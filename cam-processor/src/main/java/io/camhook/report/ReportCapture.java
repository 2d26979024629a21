package io.camhook.report;

import io.camhook.render.Picture;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What the report shows of one capture. Arrays are not copied and must not change afterwards.
 *
 * @param id the capture's id, unique in the report
 * @param name the name shown in the list and found by the search
 * @param model label of the model
 * @param time ISO-8601 instant, or empty
 * @param picture the model's input picture, null if it was not recorded
 * @param predictions classes with their probabilities, most probable first
 * @param targets the scalars that were explained; maps and channel weights refer to them by
 *     position
 * @param maps heatmaps before scaling
 * @param channels recorded activations, one entry per layer
 * @param masks ground truth, if known
 * @param metadata everything else worth reading, in the order to show it
 * @param concepts concepts of a layer, independent of any target; null if they were not requested
 * @param input an input that is not a picture, and overlays of the picture
 * @param truth the true classes; empty if unknown
 * @param source position of its {@link ReportSource}
 */
public record ReportCapture(
    String id,
    String name,
    String model,
    String time,
    @Nullable Picture picture,
    List<Prediction> predictions,
    List<Target> targets,
    List<CamMap> maps,
    List<Channels> channels,
    List<Mask> masks,
    Map<String, String> metadata,
    @Nullable Concepts concepts,
    ReportInput input,
    List<String> truth,
    int source) {

  /** A capture of a picture with unknown true class, without concepts. */
  public ReportCapture(
      String id,
      String name,
      String model,
      String time,
      @Nullable Picture picture,
      List<Prediction> predictions,
      List<Target> targets,
      List<CamMap> maps,
      List<Channels> channels,
      List<Mask> masks,
      Map<String, String> metadata) {
    this(
        id,
        name,
        model,
        time,
        picture,
        predictions,
        targets,
        maps,
        channels,
        masks,
        metadata,
        null,
        ReportInput.NONE,
        List.of(),
        0);
  }

  /** The same capture with its input. */
  public ReportCapture withInput(ReportInput fed) {
    return with(metadata, concepts, fed, truth, source);
  }

  /** The same capture with the right classes. */
  public ReportCapture withTruth(List<String> right) {
    return with(metadata, concepts, input, right, source);
  }

  /** The same capture as one of the source at position {@code from}. */
  public ReportCapture of(int from) {
    return with(metadata, concepts, input, truth, from);
  }

  /** The same capture with the concepts of a layer. */
  public ReportCapture withConcepts(@Nullable Concepts found) {
    return with(metadata, found, input, truth, source);
  }

  /** The same capture with more to read; what looks like a number is one to sort by. */
  public ReportCapture withMetadata(Map<String, String> more) {
    Map<String, String> all = new LinkedHashMap<>(metadata);
    all.putAll(more);
    return with(all, concepts, input, truth, source);
  }

  private ReportCapture with(
      Map<String, String> known,
      @Nullable Concepts found,
      ReportInput fed,
      List<String> right,
      int from) {
    return new ReportCapture(
        id,
        name,
        model,
        time,
        picture,
        predictions,
        targets,
        maps,
        channels,
        masks,
        known,
        found,
        fed,
        right,
        from);
  }

  /**
   * The concepts of a layer (deep feature factorization).
   *
   * @param layer module path
   * @param overlay the picture with each concept in its colour
   * @param concepts in descending order of their share
   * @param unexplained part of the activation that no concept explains, 0..1
   */
  public record Concepts(
      String layer, Picture overlay, List<Concept> concepts, double unexplained) {
    public Concepts {
      concepts = List.copyOf(concepts);
    }
  }

  /**
   * One concept.
   *
   * @param colour 0xRRGGBB in the overlay
   * @param share of the activation, 0..1
   * @param says the model's predictions for it, most probable first; may be empty
   */
  public record Concept(int colour, double share, List<String> says) {
    public Concept {
      says = List.copyOf(says);
    }
  }

  /**
   * One predicted class.
   *
   * @param index position in the output
   * @param label name of the class
   * @param probability 0 to 1, NaN when the output is not a distribution over classes
   * @param score the raw output
   */
  public record Prediction(int index, String label, float probability, float score) {}

  /**
   * A scalar that was differentiated.
   *
   * @param index class, or -1
   * @param label name shown
   * @param score its value, NaN if unknown
   */
  public record Target(int index, String label, float score) {}

  /**
   * A class activation map.
   *
   * @param target position in {@link ReportCapture#targets()}
   * @param method id of the method
   * @param layer module path; null for the finished heatmap over all layers, whose values are 0..1
   * @param shape {@code [L]} of a signal or a text, {@code [H,W]} of a picture, {@code [D,H,W]} of
   *     a volume
   * @param values row-major; before ReLU and scaling if {@code layer} is given
   */
  public record CamMap(
      int target, String method, @Nullable String layer, int[] shape, float[] values) {
    public CamMap {
      long needed = 1;
      for (int size : shape) {
        needed *= size;
      }
      if (needed != values.length) {
        throw new IllegalArgumentException(
            "map of shape %s needs %d values, found %d"
                .formatted(Arrays.toString(shape), needed, values.length));
      }
    }

    /** A map of a picture. */
    public CamMap(
        int target, String method, @Nullable String layer, int width, int height, float[] values) {
      this(target, method, layer, new int[] {height, width}, values);
    }

    /** Columns. */
    public int width() {
      return shape[shape.length - 1];
    }

    /** Rows; those of all slices of a volume, one below the other. */
    public int height() {
      return values.length / Math.max(1, width());
    }
  }

  /**
   * The activation of one layer.
   *
   * @param layer module path
   * @param count number of channels
   * @param width columns
   * @param height rows
   * @param values {@code [count, height, width]}
   * @param weights per target the {@code count} channel weights (mean gradient), or empty if no
   *     gradient was recorded
   */
  public record Channels(
      String layer, int count, int width, int height, float[] values, List<float[]> weights) {
    public Channels {
      if ((long) count * width * height != values.length) {
        throw new IllegalArgumentException(
            "%d channels of %d x %d need %d values, found %d"
                .formatted(count, width, height, (long) count * width * height, values.length));
      }
    }
  }

  /**
   * The true location of an object.
   *
   * @param label its class
   * @param width columns
   * @param height rows
   * @param inside row-major, true inside the object
   */
  public record Mask(String label, int width, int height, boolean[] inside) {
    public Mask {
      if ((long) width * height != inside.length) {
        throw new IllegalArgumentException(
            "mask of %d x %d needs %d values, found %d"
                .formatted(width, height, (long) width * height, inside.length));
      }
    }
  }

  public ReportCapture {
    predictions = List.copyOf(predictions);
    targets = List.copyOf(targets);
    maps = List.copyOf(maps);
    channels = List.copyOf(channels);
    masks = List.copyOf(masks);
    truth = List.copyOf(truth);
  }
}
