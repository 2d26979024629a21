package io.camhook.cli;

import io.camhook.explain.Preprocessing;
import java.util.List;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** What becomes of pictures before a model is fed. */
final class PictureOptions {
  @Option(
      names = "--size",
      paramLabel = "PIXELS",
      defaultValue = "224",
      description = "Pictures are resized to this, or HEIGHTxWIDTH (default: ${DEFAULT-VALUE}).")
  private String size = "224";

  @Option(
      names = "--mean",
      paramLabel = "R,G,B",
      split = ",",
      defaultValue = "0.485,0.456,0.406",
      description = "Subtracted from colours of 0 to 1 (default: ${DEFAULT-VALUE}).")
  private List<Float> mean = List.of();

  @Option(
      names = "--std",
      paramLabel = "R,G,B",
      split = ",",
      defaultValue = "0.229,0.224,0.225",
      description = "What is left is divided by this (default: ${DEFAULT-VALUE}).")
  private List<Float> std = List.of();

  PictureOptions() {}

  /** The preprocessing of these options; impossible ones are wrong usage. */
  Preprocessing preprocessing(CommandSpec spec) {
    if (!size.matches("[1-9]\\d{0,4}(x[1-9]\\d{0,4})?")) {
      throw new ParameterException(
          spec.commandLine(),
          "--size: expected pixels such as 224 or 160x224 (height x width), found '%s'"
              .formatted(size));
    }
    String[] sides = size.split("x");
    try {
      return Preprocessing.imageNet()
          .withSize(Integer.parseInt(sides[0]), Integer.parseInt(sides[sides.length - 1]))
          .withNormalisation(floats(mean), floats(std));
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), "--mean, --std: " + e.getMessage(), e);
    }
  }

  private static float[] floats(List<Float> values) {
    float[] floats = new float[values.size()];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = values.get(i);
    }
    return floats;
  }
}
