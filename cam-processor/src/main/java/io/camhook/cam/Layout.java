package io.camhook.cam;

import java.util.Arrays;
import java.util.List;

/**
 * Where the channels and positions of an activation are: channels first {@code [N,C,…]}, channels
 * last {@code [N,…,C]} (Swin; words and frames {@code [N,T,D]}), or transformer tokens {@code
 * [N,T,D]} that form a grid after {@code skip} class and register tokens.
 *
 * @param kind the order of the dimensions
 * @param grid for tokens, the grid's shape; otherwise empty, and the activation's own shape is used
 * @param skip for tokens, the number of leading tokens that are not part of the grid
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

  /** Grey, grey with alpha, RGB, RGB with alpha. */
  private static final int MOST_PICTURE_CHANNELS = 4;

  /** Pixels by which unpadded convolutions move a size, beyond rounding. */
  private static final int PADDING = 2;

  public Layout {
    grid = grid.clone();
  }

  public static Layout channelsFirst() {
    return new Layout(Kind.CHANNELS_FIRST, new int[0], 0);
  }

  public static Layout channelsLast() {
    return new Layout(Kind.CHANNELS_LAST, new int[0], 0);
  }

  /** Tokens that form a grid of {@code height} rows after {@code skip} tokens that do not. */
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
   * Finds the layout of {@code activation}, a shape with the batch first, from the shapes alone. If
   * they allow several, the result is PyTorch's order for maps and signals, channels first; a
   * sequence computed from an input that is not a sequence is ambiguous.
   *
   * @param input shape of the model's input, batch first; empty if unknown
   * @throws CamException if there is no spatial extent, tokens form no grid, or a sequence may be
   *     either
   */
  public static Layout detect(String path, long[] activation, long[] input) {
    List<Layout> possible = possible(path, activation, input);
    if (possible.size() == 1 || activation.length > 3 || input.length == 3) {
      return possible.get(0);
    }
    throw unclear(path, activation);
  }

  /** Asks the user. */
  public static CamException unclear(String path, long[] activation) {
    return new CamException(
        "layer %s: its output of shape %s may have its channels first or last; say which with --reshape channels-first or --reshape channels-last"
            .formatted(path, Arrays.toString(activation)));
  }

  /**
   * The layouts that the shapes allow, the more usual one first.
   *
   * <p>An output of rank 3 holds tokens {@code [N,T,D]} under a picture: the grid is the one whose
   * patches tile the picture, so that it may be non-square. Under anything else it is a sequence,
   * {@code [N,C,L]} or {@code [N,T,D]}, and never a picture, whatever the number of its positions.
   * An output of rank 4 or 5 has its channels where the other dimensions then keep the input's
   * proportions.
   *
   * @param input shape of the model's input, batch first, of whatever rank; empty if unknown
   * @return one or two
   * @throws CamException if there is no spatial extent, or tokens form no grid
   */
  public static List<Layout> possible(String path, long[] activation, long[] input) {
    return switch (activation.length) {
      case 3 ->
          input.length == 4
              ? List.of(tokenGrid(path, (int) activation[1], pictureSize(input)))
              : sequence(activation, input);
      case 4, 5 -> volume(activation, input);
      default ->
          throw new CamException(
              "layer %s has an output of shape %s without spatial extent, so there is no map of it; choose an earlier layer"
                  .formatted(path, Arrays.toString(activation)));
    };
  }

  /** Tokens {@code [N,T,D]} over a picture of {@code [height, width]}. */
  public static Layout tokens(String path, long[] activation, long[] input) {
    return tokenGrid(path, (int) activation[1], pictureSize(input));
  }

  /** Height and width, also of a picture with its one to four channels last. */
  private static int[] pictureSize(long[] input) {
    boolean last = input[1] > MOST_PICTURE_CHANNELS && input[3] <= MOST_PICTURE_CHANNELS;
    return last
        ? new int[] {(int) input[1], (int) input[2]}
        : new int[] {(int) input[2], (int) input[3]};
  }

  /**
   * A dimension of the input's length holds its time steps or tokens; that of a signal gets
   * shorter.
   */
  private static List<Layout> sequence(long[] activation, long[] input) {
    if (input.length == 2 || input.length == 3) {
      for (int d = 1; d < input.length; d++) {
        boolean first = activation[2] == input[d];
        boolean last = activation[1] == input[d];
        // For an input [N,C,L] either may be the length, but layers rarely keep the number of
        // channels.
        if (first != last) {
          boolean other = input.length == 3 && input[3 - d] == activation[first ? 1 : 2];
          return other ? both() : List.of(first ? channelsFirst() : channelsLast());
        }
      }
      long longest = Math.max(input[1], input[input.length - 1]);
      if (activation[1] > longest || activation[2] > longest) {
        return List.of(activation[1] > longest ? channelsFirst() : channelsLast());
      }
    }
    return both();
  }

  private static List<Layout> both() {
    return List.of(channelsFirst(), channelsLast());
  }

  private static List<Layout> volume(long[] activation, long[] input) {
    if (input.length != activation.length) {
      return List.of(channelsFirst());
    }
    boolean inputLast =
        input[1] > MOST_PICTURE_CHANNELS && input[input.length - 1] <= MOST_PICTURE_CHANNELS;
    int size = inputLast ? 1 : 2;
    boolean first = isScaled(activation, 2, input, size);
    boolean last = isScaled(activation, 1, input, size);
    if (first == last) {
      first = fits(activation, 2, input, size);
      last = fits(activation, 1, input, size);
    }
    return first == last ? both() : List.of(first ? channelsFirst() : channelsLast());
  }

  /** Whether no dimension from {@code first} on is larger than that of the input. */
  private static boolean fits(long[] activation, int first, long[] input, int size) {
    for (int d = 0; d + 2 < input.length; d++) {
      if (activation[first + d] > input[size + d]) {
        return false;
      }
    }
    return true;
  }

  /** Whether the dimensions from {@code first} on are the input's, all smaller by one factor. */
  private static boolean isScaled(long[] activation, int first, long[] input, int size) {
    if (!fits(activation, first, input, size)) {
      return false;
    }
    double scale = (double) activation[first] / input[size];
    for (int d = 1; d + 2 < input.length; d++) {
      // Padding, or its absence, moves a size by one or two.
      if (Math.abs(activation[first + d] - scale * input[size + d]) > PADDING) {
        return false;
      }
    }
    return true;
  }

  private static Layout tokenGrid(String path, int tokens, int[] picture) {
    int height = picture[0];
    int width = picture[1];
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
    throw new CamException(
        "layer %s: its %d tokens form no grid over an input of %dx%d; say which with --reshape tokens:HEIGHTxWIDTH+SKIP, or choose a layer with spatial extent"
            .formatted(path, tokens, height, width));
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
            "layer %s: a grid of %s after %d tokens needs an output [N,%d,D], found %s"
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
