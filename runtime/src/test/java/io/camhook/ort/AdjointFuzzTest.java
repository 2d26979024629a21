package io.camhook.ort;

import static org.assertj.core.api.Assertions.assertThat;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.camhook.onnx.gradient.GradientModel;
import io.camhook.onnx.graph.Attribute;
import io.camhook.onnx.graph.Dimension;
import io.camhook.onnx.graph.ElementType;
import io.camhook.onnx.graph.Graph;
import io.camhook.onnx.graph.Node;
import io.camhook.onnx.graph.OnnxException;
import io.camhook.onnx.graph.OnnxModel;
import io.camhook.onnx.graph.TensorData;
import io.camhook.onnx.graph.TensorType;
import io.camhook.onnx.graph.ValueInfo;
import io.camhook.recording.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Windows with random strides, pads, dilations, groups and rounding. A linear operator L and its
 * backward pass are adjoint: ⟨R, L(v)⟩ = ⟨Lᵀ(R), v⟩ for any R and v.
 */
class AdjointFuzzTest {
  private static final int CASES = Integer.getInteger("camhook.fuzz", 600) / 10;
  private static final OrtEnvironment ENVIRONMENT = OrtEnvironment.getEnvironment();

  private final Random random = new Random(7);

  /** An operator, its inputs, and whether sizes are in the file. */
  private record Case(
      String operator,
      long[] shape,
      List<TensorData> weights,
      List<Attribute> attributes,
      boolean fixed) {
    OnnxModel model() {
      List<Dimension> dimensions = new ArrayList<>();
      for (int i = 0; i < shape.length; i++) {
        dimensions.add(fixed ? Dimension.of(shape[i]) : new Dimension(-1, "d" + i));
      }
      List<String> inputs = new ArrayList<>(List.of("x"));
      weights.forEach(weight -> inputs.add(weight.name()));
      return OnnxModel.of(
          Graph.of(
              List.of(
                  Node.of("Identity", "id", List.of("input"), List.of("x"), List.of()),
                  Node.of(operator, "op", inputs, List.of("y"), attributes)),
              weights,
              List.of(ValueInfo.of("input", new TensorType(ElementType.FLOAT, dimensions))),
              List.of(ValueInfo.named("y"))),
          17);
    }

    @Override
    public String toString() {
      StringBuilder text =
          new StringBuilder(operator + Arrays.toString(shape) + (fixed ? " fixed" : " open"));
      for (Attribute attribute : attributes) {
        try {
          text.append(' ').append(attribute.name()).append('=');
          text.append(attribute.text()).append(attribute.number());
          text.append(Arrays.toString(attribute.numbers()));
        } catch (OnnxException e) {
          text.append('?');
        }
      }
      return text.toString();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"Conv", "ConvTranspose", "AveragePool"})
  void backward_should_be_the_adjoint(String operator) throws Exception {
    int compared = 0;
    for (int i = 0; i < CASES; i++) {
      Case one = of(operator);
      Tensor v = normal(one.shape());
      Checked checked = check(one, v);
      if (checked == null) {
        continue; // onnxruntime refuses the operator with these attributes
      }
      double left = dot(checked.seed(), checked.forward());
      double right = dot(checked.gradient(), v);
      double scale = Math.sqrt(dot(checked.gradient(), checked.gradient())) + 1e-6;
      assertThat(Math.abs(left - right) / scale).as(one.toString()).isLessThan(2e-4);
      compared++;
    }
    assertThat(compared).isGreaterThan(CASES / 2);
  }

  /** Near values that are all different, a max pool is linear too. */
  @Test
  void max_pool_should_be_the_adjoint_of_its_linear_part() throws Exception {
    int compared = 0;
    for (int i = 0; i < CASES; i++) {
      Case one = of("MaxPool");
      int n = (int) Arrays.stream(one.shape()).reduce(1, (a, b) -> a * b);
      List<Integer> order = new ArrayList<>(IntStream.range(0, n).boxed().toList());
      java.util.Collections.shuffle(order, random);
      float[] x = new float[n];
      float[] v = new float[n];
      for (int k = 0; k < n; k++) {
        x[k] = order.get(k);
        v[k] = random.nextInt(7) - 3;
      }
      Checked checked = check(one, Tensor.ofFloats(x, one.shape()));
      if (checked == null) {
        continue;
      }
      double step = 1.0 / 16;
      double difference =
          dot(checked.seed(), forward(one, moved(x, v, step, one.shape())))
              - dot(checked.seed(), forward(one, moved(x, v, -step, one.shape())));
      double right = dot(checked.gradient(), Tensor.ofFloats(v, one.shape()));
      double scale = Math.sqrt(dot(checked.gradient(), checked.gradient())) + 1e-6;
      assertThat(Math.abs(difference / 2 / step - right) / scale)
          .as(one.toString())
          .isLessThan(2e-2);
      compared++;
    }
    assertThat(compared).isGreaterThan(CASES / 2);
  }

  private static Tensor moved(float[] x, float[] v, double step, long[] shape) {
    float[] moved = new float[x.length];
    for (int i = 0; i < x.length; i++) {
      moved[i] = (float) (x[i] + step * v[i]);
    }
    return Tensor.ofFloats(moved, shape);
  }

  private record Checked(Tensor forward, Tensor seed, Tensor gradient) {}

  private @org.jspecify.annotations.Nullable Checked check(Case one, Tensor x) throws Exception {
    Tensor y;
    try {
      y = forward(one, x);
    } catch (OnnxException | OrtException e) {
      return null;
    }
    OrtModel model = OrtModel.of(ENVIRONMENT, one.model(), null, 1);
    GradientModel gradient = model.gradient(List.of("x"), "y");
    assertThat(gradient.refusals()).as(one.toString()).isEmpty();
    Tensor seed = normal(y.shape());
    Map<String, Tensor> found;
    try {
      found = run(model, gradient.model(), Map.of("input", x, GradientModel.SEED, seed));
    } catch (OnnxException | OrtException e) {
      throw new AssertionError(
          one + " -> " + Arrays.toString(y.shape()) + ": " + e.getMessage(), e);
    }
    Tensor g = found.get(gradient.gradientOf("x").orElseThrow());
    assertThat(g.shape()).as(one.toString()).isEqualTo(x.shape());
    return new Checked(y, seed, g);
  }

  private static Tensor forward(Case one, Tensor x) throws OnnxException, OrtException {
    OrtModel model = OrtModel.of(ENVIRONMENT, one.model(), null, 1);
    return run(model, model.model(), Map.of("input", x)).get("y");
  }

  private static Map<String, Tensor> run(OrtModel model, OnnxModel part, Map<String, Tensor> given)
      throws OnnxException, OrtException {
    Map<String, OnnxTensor> inputs = new HashMap<>();
    try (OrtSession session = model.session(part)) {
      for (Map.Entry<String, Tensor> entry : given.entrySet()) {
        inputs.put(
            entry.getKey(), OrtTensors.tensor(ENVIRONMENT, entry.getValue(), ElementType.FLOAT));
      }
      Map<String, Tensor> outputs = new HashMap<>();
      try (OrtSession.Result result = session.run(OrtModel.only(inputs, session.getInputNames()))) {
        result.forEach(e -> outputs.put(e.getKey(), OrtTensors.copied(e.getValue()).orElseThrow()));
      }
      return outputs;
    } finally {
      inputs.values().forEach(OnnxTensor::close);
    }
  }

  private static double dot(Tensor a, Tensor b) {
    float[] left = a.toFloats();
    float[] right = b.toFloats();
    double sum = 0;
    for (int i = 0; i < left.length; i++) {
      sum += (double) left[i] * right[i];
    }
    return sum;
  }

  private Tensor normal(long[] shape) {
    float[] values = new float[(int) Arrays.stream(shape).reduce(1, (a, b) -> a * b)];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return Tensor.ofFloats(values, shape);
  }

  private long[] sizes(int n, int low, int high) {
    return random.longs(n, low, high + 1L).toArray();
  }

  private Case of(String operator) {
    int axes = 1 + random.nextInt(3);
    int group = 1 + random.nextInt(2);
    boolean pool = operator.endsWith("Pool");
    long[] kernel = pool ? sizes(axes, 2, 3) : sizes(axes, 1, 3);
    long[] strides = sizes(axes, 1, 3);
    long[] dilations = sizes(axes, 1, 2);
    String auto =
        List.of("NOTSET", "NOTSET", "NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID")
            .get(random.nextInt(6));
    if (operator.equals("ConvTranspose")) {
      auto = "NOTSET";
    }
    if (auto.startsWith("SAME") || operator.equals("AveragePool")) {
      Arrays.fill(dilations, 1);
    }
    List<Attribute> attributes = new ArrayList<>();
    attributes.add(Attribute.of("kernel_shape", kernel));
    attributes.add(Attribute.of("strides", strides));
    if (!operator.equals("AveragePool")) {
      attributes.add(Attribute.of("dilations", dilations));
    }
    boolean ceil = pool && auto.equals("NOTSET") && random.nextInt(5) < 2;
    if (auto.equals("NOTSET")) {
      long[] pads = new long[2 * axes];
      for (int i = 0; i < 2 * axes; i++) {
        long most =
            pool || operator.equals("ConvTranspose")
                ? Math.min(1, kernel[i % axes] - 1)
                : kernel[i % axes];
        pads[i] = pool && i >= axes ? pads[i - axes] : random.nextInt((int) most + 1);
      }
      attributes.add(Attribute.of("pads", pads));
    } else {
      attributes.add(Attribute.of("auto_pad", auto));
    }
    if (ceil) {
      attributes.add(Attribute.of("ceil_mode", 1));
    }
    if (operator.equals("AveragePool")) {
      attributes.add(Attribute.of("count_include_pad", random.nextInt(2)));
    }
    List<TensorData> weights = new ArrayList<>();
    int channels = pool ? 3 : 2 * group;
    if (!pool) {
      attributes.add(Attribute.of("group", group));
      long[] shape = new long[axes + 2];
      shape[0] = channels;
      shape[1] = 2;
      System.arraycopy(kernel, 0, shape, 2, axes);
      float[] values = normal(shape).toFloats();
      double[] wide = new double[values.length];
      for (int i = 0; i < wide.length; i++) {
        wide[i] = values[i];
      }
      weights.add(TensorData.of("w", ElementType.FLOAT, shape, wide));
    }
    if (operator.equals("ConvTranspose")) {
      attributes.add(
          Attribute.of(
              "output_padding",
              Arrays.stream(strides).map(s -> random.nextInt((int) s)).toArray()));
    }
    long[] shape = new long[axes + 2];
    shape[0] = 2;
    shape[1] = channels;
    System.arraycopy(sizes(axes, 6, 11), 0, shape, 2, axes);
    return new Case(operator, shape, weights, attributes, random.nextBoolean());
  }
}
