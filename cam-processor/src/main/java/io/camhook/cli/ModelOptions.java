package io.camhook.cli;

import io.camhook.cam.targets.Boxes;
import io.camhook.explain.Explainer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Options that select a model's output, axis and input. */
final class ModelOptions {
  @Option(
      names = "--output",
      paramLabel = "N|NAME",
      description =
          "The output that holds the scores: its number, from 0, or its key in a dict (default: the"
              + " first suitable one).")
  private @Nullable String output;

  @Option(
      names = "--class-axis",
      paramLabel = "N",
      description =
          "The class axis of that output; 0 is the batch (default: detected by its size).")
  private @Nullable Integer classAxis;

  @Option(
      names = "--input",
      paramLabel = "N",
      description = "The input to explain, from 0 (default: all pictures, else the first input).")
  private @Nullable Integer input;

  @Option(
      names = "--boxes",
      paramLabel = "v5|v8",
      description =
          "The output holds a detector's boxes. Each has columns x, y, width, height and v5:"
              + " objectness and classes (YOLOv5, YOLOX); v8: classes (YOLOv8 and later). Then -t"
              + " box:N is one box, class:N a class over all boxes, topN the most confident boxes.")
  private Boxes.@Nullable Format boxes;

  ModelOptions() {}

  /** The meaning of the columns of boxes; null if the output has none. */
  Boxes.@Nullable Format boxes() {
    return boxes;
  }

  /** Applies the options to an explainer. */
  Explainer apply(Explainer explainer) {
    return explainer.withOutput(output).withClassAxis(classAxis).withInput(input).withBoxes(boxes);
  }
}
