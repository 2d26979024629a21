package io.camhook.onnx.gradient;

import io.camhook.onnx.graph.Attribute;
import io.camhook.onnx.graph.Dimension;
import io.camhook.onnx.graph.ElementType;
import io.camhook.onnx.graph.Node;
import io.camhook.onnx.graph.OnnxException;
import io.camhook.onnx.graph.TensorData;
import io.camhook.onnx.graph.TensorType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/**
 * The writer that rules use: emits operators, constants and subgraphs that several rules share.
 * Values are names. Dimensions that are known for every input become constants; the others are
 * computed when the model runs ({@code Shape}, {@code Slice}).
 */
final class Backward {
  private final Types types;
  private final int opset;
  private final String prefix;
  private final boolean guided;
  private final List<Node> nodes = new ArrayList<>();
  private final List<TensorData> constants = new ArrayList<>();
  private final Map<String, String> byContent = new HashMap<>();
  private final Map<String, String> shapes = new HashMap<>();
  private int names;

  /**
   * @param prefix of every name that is written
   * @param guided whether ReLUs pass only what is positive (Springenberg et al., 2015)
   */
  Backward(Types types, int opset, String prefix, boolean guided) {
    this.types = types;
    this.opset = opset;
    this.prefix = prefix;
    this.guided = guided;
  }

  List<Node> nodes() {
    return nodes;
  }

  List<TensorData> constants() {
    return constants;
  }

  int opset() {
    return opset;
  }

  boolean guided() {
    return guided;
  }

  /** A new, unique name. */
  String fresh(String what) {
    return prefix + what + "_" + ++names;
  }

  // ---- operators

  String op(String operator, String... inputs) {
    return op(operator, List.of(inputs));
  }

  String op(String operator, List<String> inputs, Attribute... attributes) {
    return ops(operator, 1, inputs, attributes).get(0);
  }

  List<String> ops(String operator, int outputs, List<String> inputs, Attribute... attributes) {
    String name = prefix + operator + "_" + (nodes.size() + 1);
    List<String> made = new ArrayList<>();
    for (int i = 0; i < outputs; i++) {
      made.add(i == 0 ? name : name + ":" + i);
    }
    nodes.add(Node.of(operator, name, inputs, made, Arrays.asList(attributes)));
    return made;
  }

  String add(String a, String b) {
    return op("Add", a, b);
  }

  String sub(String a, String b) {
    return op("Sub", a, b);
  }

  String mul(String a, String b) {
    return op("Mul", a, b);
  }

  String div(String a, String b) {
    return op("Div", a, b);
  }

  String neg(String a) {
    return op("Neg", a);
  }

  String reshape(String value, String shape) {
    return op("Reshape", value, shape);
  }

  String flat(String value) {
    return reshape(value, longs(-1));
  }

  String cast(String value, ElementType to) {
    return op("Cast", List.of(value), Attribute.of("to", to.id()));
  }

  String transpose(String value, long... permutation) {
    return op("Transpose", List.of(value), Attribute.of("perm", permutation));
  }

  /** Concatenates along the first axis. */
  String concat(String... parts) {
    return op("Concat", List.of(parts), Attribute.of("axis", 0));
  }

  /** Elements from {@code from} (inclusive) to {@code to} of a vector. */
  String part(String vector, long from, long to) {
    return op("Slice", vector, longs(from), longs(to));
  }

  String sum(String value, boolean keep, long... axes) {
    return op("ReduceSum", List.of(value, longs(axes)), Attribute.of("keepdims", keep ? 1 : 0));
  }

  /** The mean over axes, which are kept with one element. */
  String mean(String value, long... axes) {
    Attribute keep = Attribute.of("keepdims", 1);
    return opset >= 18
        ? op("ReduceMean", List.of(value, longs(axes)), keep)
        : op("ReduceMean", List.of(value), Attribute.of("axes", axes), keep);
  }

  /** The product of all elements. */
  String product(String vector, boolean keep) {
    return op("ReduceProd", List.of(vector), Attribute.of("keepdims", keep ? 1 : 0));
  }

  // ---- constants

  String longs(long... values) {
    return constant(TensorData.of("", new long[] {values.length}, values), Arrays.toString(values));
  }

  String scalar(long value) {
    return constant(TensorData.of("", new long[0], value), "s" + value);
  }

  /** A real number in the type of another value. */
  String real(double value, String like) {
    ElementType type = types.element(like);
    return constant(TensorData.of("", type, new long[0], value), type + " " + value);
  }

  /** A tensor of real numbers in the type of another value. */
  String reals(long[] dimensions, double[] values, String like) {
    ElementType type = types.element(like);
    return constant(
        TensorData.of("", type, dimensions, values),
        type + Arrays.toString(dimensions) + Arrays.toString(values));
  }

  private String constant(TensorData tensor, String content) {
    return byContent.computeIfAbsent(
        content,
        key -> {
          TensorData named = tensor.named(prefix + "c" + constants.size());
          constants.add(named);
          types.add(named);
          return named.name();
        });
  }

  // ---- what is known

  ElementType element(String value) {
    return types.element(value);
  }

  @Nullable List<Dimension> dimensions(@Nullable String value) {
    return value == null ? null : types.dimensions(value);
  }

  /** Declares that an added value has the type of another. */
  void sameType(String value, String as) {
    types.put(value, types.get(as));
  }

  void declare(String value, TensorType type) {
    types.put(value, type);
  }

  /** Dimensions that are known for every input, or null. */
  long @Nullable [] fixed(String value) {
    List<Dimension> dimensions = types.dimensions(value);
    if (dimensions == null || !dimensions.stream().allMatch(Dimension::isFixed)) {
      return null;
    }
    return dimensions.stream().mapToLong(Dimension::size).toArray();
  }

  int rank(Node node, String value) throws OnnxException {
    List<Dimension> dimensions = types.dimensions(value);
    if (dimensions == null) {
      throw Refusal.of(node, "the number of dimensions of " + value + " is not known");
    }
    return dimensions.size();
  }

  @Nullable TensorData constantOf(@Nullable String value) {
    return types.constant(value);
  }

  /** The integers of a constant; null if the value is computed. */
  long @Nullable [] constantLongs(@Nullable String value) throws OnnxException {
    TensorData constant = types.constant(value);
    return constant == null || constant.isExternal() ? null : constant.longs();
  }

  // ---- shapes

  /** The shape of a value, as a value. */
  String shape(String value) {
    long[] fixed = fixed(value);
    if (fixed != null) {
      return longs(fixed);
    }
    return shapes.computeIfAbsent(value, key -> op("Shape", key));
  }

  /** One size of a value, as a vector of one element. */
  String size(String value, int axis) {
    List<Dimension> dimensions = types.dimensions(value);
    if (dimensions != null && axis < dimensions.size() && dimensions.get(axis).isFixed()) {
      return longs(dimensions.get(axis).size());
    }
    return part(shape(value), axis, axis + 1L);
  }

  /** Sizes from one axis on, as a vector. */
  String sizes(String value, int from, int to) {
    List<Dimension> dimensions = types.dimensions(value);
    if (dimensions != null
        && to <= dimensions.size()
        && dimensions.subList(from, to).stream().allMatch(Dimension::isFixed)) {
      return longs(dimensions.subList(from, to).stream().mapToLong(Dimension::size).toArray());
    }
    return part(shape(value), from, to);
  }

  /** The number of elements, as a vector of one element. */
  String count(String value) {
    return product(shape(value), true);
  }

  /** Reshapes a gradient to the shape of the value that it belongs to. */
  String reshapeLike(String gradient, String value) {
    List<Dimension> dimensions = types.dimensions(value);
    if (dimensions != null) {
      long unknown = dimensions.stream().filter(d -> !d.isFixed()).count();
      boolean empty = dimensions.stream().anyMatch(d -> d.size() == 0);
      if (unknown <= 1 && !empty) {
        return reshape(gradient, longs(dimensions.stream().mapToLong(Dimension::size).toArray()));
      }
    }
    return reshape(gradient, shape(value));
  }

  String zerosLike(String value) {
    return op("Expand", real(0, value), shape(value));
  }

  String expandLike(String gradient, String value) {
    return op("Expand", gradient, shape(value));
  }

  /** Sums a gradient over what broadcasting repeated, from the shape of one value to another's. */
  String unbroadcast(String gradient, String from, String to) {
    List<Dimension> wide = types.dimensions(from);
    List<Dimension> narrow = types.dimensions(to);
    if (wide != null && narrow != null && narrow.size() <= wide.size()) {
      int lead = wide.size() - narrow.size();
      boolean known = true;
      List<Long> axes = new ArrayList<>();
      for (int i = 0; i < wide.size(); i++) {
        Dimension n = i < lead ? Dimension.of(1) : narrow.get(i - lead);
        Dimension w = wide.get(i);
        if (n.size() == 1) {
          if (w.size() != 1) {
            axes.add((long) i);
          }
        } else if (!n.isFixed() && !n.sameAs(w)) {
          known = false;
        }
      }
      if (known) {
        String summed =
            axes.isEmpty()
                ? gradient
                : sum(gradient, true, axes.stream().mapToLong(Long::longValue).toArray());
        return lead == 0
            ? summed
            : op("Squeeze", summed, longs(LongStream.range(0, lead).toArray()));
      }
    }
    // Ranks and sizes are known only when the model runs: which sizes of `to`, padded with ones in
    // front, are 1?
    String small = shape(to);
    String large = shape(from);
    String missing = sub(op("Shape", large), op("Shape", small));
    String ones =
        op(
            "ConstantOfShape",
            List.of(missing),
            Attribute.of("value", TensorData.of("", new long[] {1}, 1)));
    String padded = concat(ones, small);
    String axes = flat(op("NonZero", op("Equal", padded, longs(1))));
    String summed =
        op(
            "ReduceSum",
            List.of(gradient, axes),
            Attribute.of("keepdims", 1),
            Attribute.of("noop_with_empty_axes", 1));
    return reshape(summed, small);
  }

  /** 0, 1, 2 … in the shape of a value. */
  String positions(String value) {
    String all = op("Range", scalar(0), product(shape(value), false), scalar(1));
    return reshape(all, shape(value));
  }

  /**
   * The gradient of an operator that only moves elements: it is applied to their positions, and the
   * arriving gradients are added up there.
   */
  String scatterBy(String value, Function<String, String> operator, String gradient) {
    return scatter(value, flat(operator.apply(positions(value))), gradient);
  }

  /** Adds a gradient up at flat positions of a value. */
  String scatter(String value, String positions, String gradient) {
    String zeros = op("Expand", real(0, value), count(value));
    String summed =
        op(
            "ScatterElements",
            List.of(zeros, positions, flat(gradient)),
            Attribute.of("axis", 0),
            Attribute.of("reduction", "add"));
    return reshape(summed, shape(value));
  }

  /** The arriving gradient where a condition holds, and 0 elsewhere. */
  String where(String condition, String gradient, String like) {
    return op("Where", condition, gradient, real(0, like));
  }
}
