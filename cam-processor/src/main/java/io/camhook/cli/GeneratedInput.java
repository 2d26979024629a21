package io.camhook.cli;

import io.camhook.recording.Tensor;
import java.util.Arrays;
import java.util.Random;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;

/** Generated inputs for trying a model: {@code 1x3x224x224}. */
final class GeneratedInput {
  private GeneratedInput() {}

  /** The sizes; anything else is wrong usage. */
  static long[] parse(CommandSpec spec, String text) {
    if (!text.matches("[1-9]\\d{0,8}(x[1-9]\\d{0,8})*")) {
      throw new ParameterException(
          spec.commandLine(),
          "--input-shape: expected sizes such as 1x3x224x224, found '%s'".formatted(text));
    }
    return Arrays.stream(text.split("x")).mapToLong(Long::parseLong).toArray();
  }

  /** Numbers of that shape with mean 0 and standard deviation 1, the same every time. */
  static Tensor values(long[] shape) {
    float[] values =
        new float[Math.toIntExact(Arrays.stream(shape).reduce(1, Math::multiplyExact))];
    Random random = new Random(0);
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return Tensor.ofFloats(values, shape);
  }
}
