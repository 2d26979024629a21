package io.camhook.cli;

import io.camhook.explain.Fit;
import io.camhook.explain.Preprocessing;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** Options for the preprocessing of pictures. */
final class PictureOptions {
  @Option(
      names = "--size",
      paramLabel = "PIXELS",
      description =
          "Pictures are resized to N x N, or HEIGHTxWIDTH (default: what the model's file fixes,"
              + " else 224).")
  private @Nullable String size;

  @Option(
      names = "--fit",
      paramLabel = "FIT",
      defaultValue = "crop",
      description =
          "How: crop (the shorter side fits, the middle is taken), pad (the longer side fits) or"
              + " stretch (default: ${DEFAULT-VALUE}).")
  private Fit fit = Fit.CROP;

  @Option(
      names = "--mean",
      paramLabel = "R,G,B",
      split = ",",
      description =
          "Subtracted from values of 0 to 1, one number or one a channel (default: ImageNet's"
              + " 0.485,0.456,0.406).")
  private List<Float> mean = new ArrayList<>();

  @Option(
      names = "--std",
      paramLabel = "R,G,B",
      split = ",",
      description = "What is left is divided by this (default: ImageNet's 0.229,0.224,0.225).")
  private List<Float> std = new ArrayList<>();

  PictureOptions() {}

  /** The preprocessing of these options; impossible ones are wrong usage. */
  Preprocessing preprocessing(CommandSpec spec) {
    String size = this.size == null ? "224" : this.size;
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
          .withFit(fit)
          .withNormalisation(floats(mean), floats(std));
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), "--mean, --std: " + e.getMessage(), e);
    }
  }

  /** Whether the user named the size of pictures. */
  boolean sizeIsNamed() {
    return size != null;
  }

  private static float @Nullable [] floats(List<Float> values) {
    if (values.isEmpty()) {
      return null;
    }
    float[] floats = new float[values.size()];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = values.get(i);
    }
    return floats;
  }
}
