package io.camhook.samples.shapes;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Command line of {@link ShapesDemo}.
 *
 * @param pictures folder of the pictures
 * @param singles number of pictures with one object, for an empty folder
 * @param pairs number of pictures with two objects, for an empty folder
 * @param seed of the generator
 * @param threads number of concurrent prediction threads
 * @param outputs file for all logits, or null
 */
record DemoOptions(
    Path pictures, int singles, int pairs, long seed, int threads, @Nullable Path outputs) {

  static final String USAGE =
      """
      usage: ShapesDemo [--pictures DIR] [--count N] [--pairs N] [--seed N] [--threads N] [--outputs FILE]
        --pictures DIR   pictures with their pictures.json; filled first where it has none (default: pictures)
        --count N        fill with N pictures of one object (default: 64)
        --pairs N        and N pictures of two objects (default: 4)
        --seed N         seed of the pictures (default: 2024; training used 20, its test 21)
        --threads N      threads that predict at once (default: 1)
        --outputs FILE   write all logits, little-endian float32, in the order of the pictures
      """;

  static DemoOptions parse(String[] args) {
    DemoOptions options = new DemoOptions(Path.of("pictures"), 64, 4, 2024, 1, null);
    for (int i = 0; i < args.length; i += 2) {
      if (i + 1 == args.length) {
        throw new IllegalArgumentException("option " + args[i] + " needs a value");
      }
      options = options.with(args[i], args[i + 1]);
    }
    return options;
  }

  private DemoOptions with(String option, String value) {
    return switch (option) {
      case "--pictures" -> new DemoOptions(Path.of(value), singles, pairs, seed, threads, outputs);
      case "--count" ->
          new DemoOptions(pictures, number(option, value, 0), pairs, seed, threads, outputs);
      case "--pairs" ->
          new DemoOptions(pictures, singles, number(option, value, 0), seed, threads, outputs);
      case "--seed" ->
          new DemoOptions(
              pictures, singles, pairs, number(option, value, Integer.MIN_VALUE), threads, outputs);
      case "--threads" ->
          new DemoOptions(pictures, singles, pairs, seed, number(option, value, 1), outputs);
      case "--outputs" -> new DemoOptions(pictures, singles, pairs, seed, threads, Path.of(value));
      default -> throw new IllegalArgumentException("unknown option " + option);
    };
  }

  private static int number(String option, String value, int min) {
    try {
      int number = Integer.parseInt(value);
      if (number >= min) {
        return number;
      }
    } catch (NumberFormatException e) {
      // reported below, like a number out of range
    }
    throw new IllegalArgumentException(
        option + " expects a whole number of at least " + min + ", found " + value);
  }
}
