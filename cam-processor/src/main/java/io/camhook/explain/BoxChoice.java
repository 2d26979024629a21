package io.camhook.explain;

import io.camhook.cam.CamException;
import io.camhook.cam.targets.Boxes;
import io.camhook.cam.targets.Labels;
import io.camhook.cam.targets.ScoreTarget;
import io.camhook.cam.targets.Targets;
import io.camhook.recording.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A target of a detector: a box by its number, a class over all boxes, or the most confident boxes.
 *
 * @param kind what the number is
 * @param number of the box or class, or how many boxes
 */
public record BoxChoice(Kind kind, int number) {
  /** The kinds of box target. */
  public enum Kind {
    /** One box. */
    BOX,
    /** A class, summed over the boxes. */
    CLASS,
    /** The most confident boxes. */
    TOP
  }

  /**
   * Reads a target.
   *
   * @return empty if it is not a target of boxes
   * @throws CamException if a label does not exist
   */
  public static Optional<BoxChoice> parse(String text, Labels labels) {
    if (text.matches("box:\\d{1,9}")) {
      return Optional.of(new BoxChoice(Kind.BOX, Integer.parseInt(text.substring(4))));
    }
    if (text.matches("class:\\d{1,9}")) {
      return Optional.of(new BoxChoice(Kind.CLASS, Integer.parseInt(text.substring(6))));
    }
    if (text.startsWith("label:")) {
      return Optional.of(new BoxChoice(Kind.CLASS, labels.index(text.substring(6))));
    }
    return text.matches("top[1-9]\\d{0,5}")
        ? Optional.of(new BoxChoice(Kind.TOP, Integer.parseInt(text.substring(3))))
        : Optional.empty();
  }

  List<ScoreTarget> of(Tensor output, Boxes.@Nullable Format format) {
    if (format == null) {
      if (kind != Kind.BOX || output.rank() > 2) {
        throw new CamException(
            "box:%d: the output has shape %s; say what its columns are with --boxes v5 (x, y, width, height, objectness, classes) or --boxes v8 (x, y, width, height, classes)"
                .formatted(number, Arrays.toString(output.shape())));
      }
      return List.of(Targets.boxOutput(number));
    }
    Boxes boxes = Boxes.of(format, output.shape());
    float[] values = output.toFloats();
    return switch (kind) {
      case BOX -> List.of(boxes.box(values, number));
      case CLASS -> List.of(boxes.ofClass(number));
      case TOP ->
          Boxes.best(boxes.all(values), number).stream()
              .map(each -> boxes.box(values, each.box()))
              .toList();
    };
  }
}
