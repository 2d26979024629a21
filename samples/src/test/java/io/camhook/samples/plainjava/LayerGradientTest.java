package io.camhook.samples.plainjava;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.camhook.samples.pictures.PictureGenerator;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The gradients that the layers compute by hand against central differences of their outputs. */
class LayerGradientTest {
  /**
   * Every layer is linear as long as no input crosses a kink, and the inputs below keep away from
   * kinks by more than this step. So the difference quotient has no truncation error, only
   * rounding: sums of at most 75 products of order 1 carry about 75 · 2⁻²⁴, divided by the step.
   */
  private static final float STEP = 1 / 64f;

  private static final double TOLERANCE = 75 * 0x1p-24 / STEP;

  private final SplittableRandom random = new SplittableRandom(5);

  static Stream<Arguments> layers() {
    SplittableRandom random = new SplittableRandom(4);
    return Stream.of(
        Arguments.of("conv", new ConvLayer(new int[] {2, 5, 6}, 3, 3, 1).initialise(random), 60),
        Arguments.of(
            "conv, 5×5, stride 2",
            new ConvLayer(new int[] {3, 8, 6}, 2, 5, 2).initialise(random),
            144),
        Arguments.of("relu", new ReluLayer(new int[] {2, 3, 4}), 24),
        Arguments.of("max pool", new MaxPoolLayer(new int[] {2, 4, 6}), 48),
        Arguments.of("scale", new ScaleLayer(new int[] {2, 3, 4}), 24),
        Arguments.of("smooth", new SmoothLayer(new int[] {2, 4, 5}), 40),
        Arguments.of("gap", new GapLayer(new int[] {3, 4, 5}), 60),
        Arguments.of("linear", new LinearLayer(7, 4).initialise(random), 7));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("layers")
  void input_gradient_should_equal_the_difference_quotient(String name, Layer layer, int inputs) {
    float[] input = awayFromKinks(inputs);
    float[] direction = uniform(layer.forward(input).length);

    float[] gradient = layer.backward(direction);

    assertThat(gradient).hasSize(inputs);
    for (int i = 0; i < inputs; i++) {
      assertThat((double) gradient[i])
          .isCloseTo(quotient(layer, input, direction, input, i), within(TOLERANCE));
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("layers")
  void parameter_gradients_should_equal_the_difference_quotient(
      String name, Layer layer, int inputs) {
    float[] input = awayFromKinks(inputs);
    float[] direction = uniform(layer.forward(input).length);

    layer.backward(direction);

    for (Parameter parameter : layer.parameters()) {
      for (int i = 0; i < parameter.value.length; i++) {
        assertThat((double) parameter.gradient[i])
            .isCloseTo(quotient(layer, input, direction, parameter.value, i), within(TOLERANCE));
      }
    }
  }

  /** By hand: 0, 127.5 and 255 become -1, 0 and 1. */
  @Test
  void scale_should_bring_bytes_to_minus_one_to_one() {
    assertThat(new ScaleLayer(new int[] {1, 1, 3}).forward(new float[] {0, 127.5f, 255}))
        .containsExactly(-1, 0, 1);
  }

  /** By hand: corners see four ones of nine, edges six, the middle nine. */
  @Test
  void smoothing_should_count_the_zeros_around_the_map() {
    float[] ones = {1, 1, 1, 1, 1, 1, 1, 1, 1};
    assertThat(new SmoothLayer(new int[] {1, 3, 3}).forward(ones))
        .containsExactly(
            new float[] {4 / 9f, 6 / 9f, 4 / 9f, 6 / 9f, 1, 6 / 9f, 4 / 9f, 6 / 9f, 4 / 9f},
            within(1e-6f));
  }

  @Test
  void parameter_gradients_should_add_up_over_calls() {
    LinearLayer layer = new LinearLayer(2, 1);
    layer.forward(new float[] {3, 4});
    layer.backward(new float[] {1});
    layer.forward(new float[] {10, 20});
    layer.backward(new float[] {2});

    // 1 · (3, 4) + 2 · (10, 20), and 1 + 2 for the bias
    assertThat(layer.parameters().get(0).gradient).containsExactly(23, 44);
    assertThat(layer.parameters().get(1).gradient).containsExactly(3);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("layers")
  void output_shape_should_describe_the_output(String name, Layer layer, int inputs) {
    int elements = Arrays.stream(layer.outputShape()).reduce(1, (a, b) -> a * b);
    assertThat(layer.forward(new float[inputs])).hasSize(elements);
  }

  /**
   * The whole network along its own gradient g, where the slope is |g|: every element of g that was
   * wrong would make it less. The step is so small that hardly a ReLU or maximum changes sides;
   * then rounding decides: a few units of 2⁻²³ in outputs of order 1, by a step of 2⁻¹⁴ and a slope
   * of at least 15, are below 1e-3.
   */
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4})
  void network_gradient_should_equal_the_difference_quotient_along_itself(long seed) {
    PlainNet net = new PlainNet(48, new SplittableRandom(seed));
    float[][][] input = PlainNet.planes(new PictureGenerator(seed).picture(0).around(48));
    float[] direction = uniform(net.forward(input).length);
    net.backward(direction);
    double norm = 0;
    for (Parameter parameter : net.parameters()) {
      norm += dot(parameter.gradient, parameter.gradient);
    }
    norm = Math.sqrt(norm);

    double step = 0x1p-14;
    move(net, step / norm);
    double above = dot(net.forward(input), direction);
    move(net, -2 * step / norm);
    double below = dot(net.forward(input), direction);

    assertThat((above - below) / (2 * step)).isCloseTo(norm, within(1e-3 * norm));
  }

  private static void move(PlainNet net, double factor) {
    for (Parameter parameter : net.parameters()) {
      for (int i = 0; i < parameter.value.length; i++) {
        parameter.value[i] += (float) (factor * parameter.gradient[i]);
      }
    }
  }

  /** Derivative of {@code forward(input) · direction} by one element of {@code where}. */
  private static double quotient(
      Layer layer, float[] input, float[] direction, float[] where, int at) {
    float old = where[at];
    where[at] = old + STEP;
    double above = dot(layer.forward(input), direction);
    where[at] = old - STEP;
    double below = dot(layer.forward(input), direction);
    where[at] = old;
    return (above - below) / (2 * STEP);
  }

  private static double dot(float[] a, float[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += (double) a[i] * b[i];
    }
    return sum;
  }

  private float[] uniform(int n) {
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      values[i] = (float) (2 * random.nextDouble() - 1);
    }
    return values;
  }

  /** Multiples of 1/16 but odd ones of 1/32, all different: no two, and none and 0, within 1/32. */
  private float[] awayFromKinks(int n) {
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      values[i] = (i - n / 2) / 16f + 1 / 32f;
    }
    for (int i = n - 1; i > 0; i--) {
      int j = random.nextInt(i + 1);
      float swap = values[i];
      values[i] = values[j];
      values[j] = swap;
    }
    return values;
  }
}
