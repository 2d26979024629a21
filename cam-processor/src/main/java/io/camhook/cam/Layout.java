package io.camhook.cam;

import java.util.Arrays;

/**
 * Where the channels and positions of an activation are: channels first {@code [N,C,…]}, channels
 * last {@code [N,…,C]} (Swin), or transformer tokens {@code [N,T,D]} that form a grid behind {@code
 * skip} class and register tokens.
 *
 * @param kind the order of the dimensions
 * @param grid for tokens the grid's shape; else empty, the shape is that of the activation
 * @param skip for tokens the number of leading tokens that are not part of the grid
 */
public record Layout(Kind kind, int[] grid, int skip) {

  /** The order of the dimensions. */
  public enum Kind {
    CHANNELS_FIRST,
    CHANNELS_LAST,
    TOKENS
  }

  /** Most class and register tokens that the detection expects. */
  private static final int MOST_SPECIAL_TOKENS = 16;

  public Layout {
    grid = grid.clone();
  }

  public static Layout channelsFirst() {
    return new Layout(Kind.CHANNELS_FIRST, new int[0], 0);
  }

  public static Layout channelsLast() {
    return new Layout(Kind.CHANNELS_LAST, new int[0], 0);
  }

  /** Tokens that form a grid of {@code height} rows behind {@code skip} tokens that do not. */
  public static Layout tokens(int height, int width, int skip) {
    return new Layout(Kind.TOKENS, new int[] {height, width}, skip);
  }

  /**
   * Reads what a user writes: {@code channels-first}, {@code channels-last}, {@code tokens:14x14},
   * {@code tokens:14x14+1} (one leading token dropped).
   *
   * @throws CamException if it is none of them
   */
  public static Layout parse(String text) {
    if (text.equals("channels-first")) {
      return channelsFirst();
    }
    if (text.equals("channels-last")) {
      return channelsLast();
    }
    if (text.matches("tokens:\\d{1,6}x\\d{1,6}(\\+\\d{1,6})?")) {
      String[] numbers = text.substring("tokens:".length()).split("[x+]");
      int skip = numbers.length > 2 ? Integer.parseInt(numbers[2]) : 0;
      return tokens(Integer.parseInt(numbers[0]), Integer.parseInt(numbers[1]), skip);
    }
    throw new CamException(
        "layout '%s': expected channels-first, channels-last or tokens:HEIGHTxWIDTH+SKIP"
            .formatted(text));
  }

  /**
   * Finds the layout of {@code activation}, a shape with the batch first, from the shape of the
   * model's input (batch first too; empty if unknown). Rank 3 under an input of rank 4 is tokens:
   * the grid is the one whose patches tile the input, so that it may be non-square. Rank 4 and 5
   * are channels last if only then the spatial dimensions have the input's aspect ratio.
   *
   * @throws CamException if there is no spatial extent, or tokens form no grid
   */
  public static Layout detect(String path, long[] activation, long[] input) {
    return switch (activation.length) {
      case 3 -> input.length == 3 ? channelsFirst() : tokenGrid(path, (int) activation[1], input);
      case 4, 5 -> isChannelsLast(activation, input) ? channelsLast() : channelsFirst();
      default ->
          throw new CamException(
              "layer %s has an output of shape %s without spatial extent, so there is no map of it; choose an earlier layer"
                  .formatted(path, Arrays.toString(activation)));
    };
  }

  private static boolean isChannelsLast(long[] activation, long[] input) {
    if (input.length != activation.length) {
      return false;
    }
    return aspectError(activation, 1, input) + 0.3 < aspectError(activation, 2, input);
  }

  /**
   * How far the dimensions from {@code first} on are from the input's proportions, as log ratio.
   */
  private static double aspectError(long[] activation, int first, long[] input) {
    double least = Double.POSITIVE_INFINITY;
    double most = Double.NEGATIVE_INFINITY;
    for (int d = 0; d + 2 < input.length; d++) {
      if (activation[first + d] > input[d + 2]) {
        return Double.POSITIVE_INFINITY;
      }
      double scale = Math.log((double) activation[first + d] / input[d + 2]);
      least = Math.min(least, scale);
      most = Math.max(most, scale);
    }
    return most - least;
  }

  private static Layout tokenGrid(String path, int tokens, long[] input) {
    if (input.length == 4) {
      int height = (int) input[2];
      int width = (int) input[3];
      for (boolean whole : new boolean[] {true, false}) {
        Layout best = null;
        for (int patch = 1; patch <= Math.min(height, width); patch++) {
          if (whole && (height % patch != 0 || width % patch != 0)) {
            continue;
          }
          int skip = tokens - (height / patch) * (width / patch);
          if (skip >= 0 && skip <= MOST_SPECIAL_TOKENS && (best == null || skip < best.skip)) {
            best = tokens(height / patch, width / patch, skip);
          }
        }
        if (best != null && best.positions() > 1) {
          return best;
        }
      }
    } else {
      for (int skip : new int[] {0, 1, 2, 5}) {
        int side = (int) Math.round(Math.sqrt(Math.max(0, tokens - skip)));
        if (side > 1 && side * side + skip == tokens) {
          return tokens(side, side, skip);
        }
      }
    }
    throw new CamException(
        "layer %s: its %d tokens form no grid%s; say which with --layout tokens:HEIGHTxWIDTH+SKIP, or choose a layer with spatial extent"
            .formatted(
                path,
                tokens,
                input.length == 4
                    ? " over an input of %dx%d".formatted(input[2], input[3])
                    : ", and the shape of the input is unknown"));
  }

  private int positions() {
    return FloatMap.positions(grid);
  }

  /**
   * The spatial shape that an activation has in this layout.
   *
   * @throws CamException if it does not fit
   */
  int[] spatial(String path, long[] activation) {
    int rank = activation.length;
    if (kind == Kind.TOKENS) {
      if (rank != 3 || activation[1] != positions() + skip) {
        throw new CamException(
            "layer %s: a grid of %s behind %d tokens needs an output [N,%d,D], found %s"
                .formatted(
                    path,
                    Arrays.toString(grid),
                    skip,
                    positions() + skip,
                    Arrays.toString(activation)));
      }
      return grid.clone();
    }
    if (rank < 3 || rank > 5) {
      throw new CamException(
          "layer %s: %s needs an output of rank 3 to 5, found %s"
              .formatted(path, kind, Arrays.toString(activation)));
    }
    int first = kind == Kind.CHANNELS_FIRST ? 2 : 1;
    int[] spatial = new int[rank - 2];
    for (int d = 0; d < spatial.length; d++) {
      spatial[d] = (int) activation[first + d];
    }
    return spatial;
  }

  /** The number of channels that an activation has in this layout. */
  int channels(long[] activation) {
    return (int) activation[kind == Kind.CHANNELS_FIRST ? 1 : activation.length - 1];
  }

  /**
   * One sample as {@code [C, P]}.
   *
   * @param values the whole batch
   */
  float[] channelsFirst(float[] values, long[] shape, int sample) {
    int size = values.length / (int) shape[0];
    int from = sample * size;
    if (kind == Kind.CHANNELS_FIRST) {
      return shape[0] == 1 ? values : Arrays.copyOfRange(values, from, from + size);
    }
    int channels = channels(shape);
    int positions = size / channels - skip;
    float[] out = new float[channels * positions];
    for (int p = 0; p < positions; p++) {
      int row = from + (p + skip) * channels;
      for (int k = 0; k < channels; k++) {
        out[k * positions + p] = values[row + k];
      }
    }
    return out;
  }

  /**
   * The inverse of {@link #channelsFirst(float[], long[], int)} for one sample; leading tokens that
   * are not part of the grid are taken from {@code original}.
   */
  float[] restore(float[] channelsFirst, float[] original, long[] shape) {
    if (kind == Kind.CHANNELS_FIRST) {
      return channelsFirst;
    }
    int channels = channels(shape);
    int positions = channelsFirst.length / channels;
    float[] out = original.clone();
    for (int p = 0; p < positions; p++) {
      for (int k = 0; k < channels; k++) {
        out[(p + skip) * channels + k] = channelsFirst[k * positions + p];
      }
    }
    return out;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Layout o
        && kind == o.kind
        && skip == o.skip
        && Arrays.equals(grid, o.grid);
  }

  @Override
  public int hashCode() {
    return 31 * (31 * kind.hashCode() + Arrays.hashCode(grid)) + skip;
  }

  /** The text that {@link #parse} reads. */
  @Override
  public String toString() {
    return switch (kind) {
      case CHANNELS_FIRST -> "channels-first";
      case CHANNELS_LAST -> "channels-last";
      case TOKENS -> "tokens:%dx%d+%d".formatted(grid[0], grid[1], skip);
    };
  }
}
