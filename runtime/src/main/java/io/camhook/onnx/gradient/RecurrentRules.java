package io.camhook.onnx.gradient;

import io.camhook.onnx.graph.Attribute;
import io.camhook.onnx.graph.Graph;
import io.camhook.onnx.graph.Node;
import io.camhook.onnx.graph.OnnxException;
import io.camhook.onnx.graph.TensorType;
import io.camhook.onnx.graph.ValueInfo;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * GRU and LSTM. All hidden states are an output, so the gates of all steps are recomputed at once;
 * only the recurrence of the gradient runs step by step, in a Scan.
 */
final class RecurrentRules {
  private RecurrentRules() {}

  static void addTo(Map<String, Rule> rules) {
    rules.put("GRU", RecurrentRules::gru);
    rules.put("LSTM", RecurrentRules::lstm);
  }

  /** One direction of a recurrent layer, with time as the first axis. */
  private static final class Direction {
    final Backward b;
    final boolean reversed;
    final String weight;
    final String recurrent;
    final String first;
    final String states;
    final String before;
    final List<String> fromInput;
    final List<String> fromState;

    Direction(Backward b, Node node, String y, int index, boolean reversed, int gates) {
      this.b = b;
      this.reversed = reversed;
      long hidden = node.number("hidden_size", 0);
      String x = node.inputs().get(0);
      weight = at(b, node.inputs().get(1), index, 0);
      recurrent = at(b, node.inputs().get(2), index, 0);
      states = at(b, y, index, 1);
      first = initial(b, node, 5, index, hidden);
      before = previous(first, states);
      String bias = node.input(3) == null ? null : at(b, node.inputs().get(3), index, 0);
      fromInput = gates(product(x, weight, part(bias, 0, gates * hidden)), gates, hidden);
      fromState =
          gates(
              product(before, recurrent, part(bias, gates * hidden, 2 * gates * hidden)),
              gates,
              hidden);
    }

    private @Nullable String part(@Nullable String bias, long from, long to) {
      return bias == null ? null : b.part(bias, from, to);
    }

    private String product(String value, String matrix, @Nullable String bias) {
      String product = b.op("MatMul", value, b.transpose(matrix, 1, 0));
      return bias == null ? product : b.add(product, bias);
    }

    private List<String> gates(String all, int gates, long hidden) {
      long[] sizes = new long[gates];
      Arrays.fill(sizes, hidden);
      return b.ops("Split", gates, List.of(all, b.longs(sizes)), Attribute.of("axis", -1));
    }

    /** The states at the beginning of each step: those after the previous step. */
    String previous(String start, String all) {
      String row = b.op("Unsqueeze", start, b.longs(0));
      return reversed
          ? b.concat(b.part(all, 1, Long.MAX_VALUE), row)
          : b.concat(row, b.part(all, 0, -1));
    }

    String sum(int gate) {
      return b.add(fromInput.get(gate), fromState.get(gate));
    }

    /** The gradient that arrived at an output, or zeros in the shape of a value. */
    String arrived(@Nullable String gradient, int index, int axis, String like) {
      return gradient == null ? b.sub(like, like) : at(b, gradient, index, axis);
    }
  }

  private static String at(Backward b, String value, int index, int axis) {
    return b.op("Gather", List.of(value, b.scalar(index)), Attribute.of("axis", axis));
  }

  private static String initial(Backward b, Node node, int input, int index, long hidden) {
    String given = node.input(input);
    String x = node.inputs().get(0);
    return given != null
        ? at(b, given, index, 0)
        : b.op("Expand", b.real(0, x), b.concat(b.size(x, 1), b.longs(hidden)));
  }

  /** The forms that PyTorch, Keras and others write. */
  private static void requireUsual(Node node, OperatorBackward flow) throws OnnxException {
    for (int parameter = 1; parameter <= 3; parameter++) {
      if (flow.needs(parameter)) {
        throw Refusal.of(node, "the gradient of its weights is not written");
      }
    }
    boolean unusual =
        node.number("layout", 0) != 0
            || node.has("activations")
            || node.has("clip")
            || node.number("input_forget", 0) != 0
            || node.input(4) != null
            || node.input(7) != null;
    if (unusual) {
      throw Refusal.of(
          node,
          "sequence lengths, peepholes, clipping, layout 1 and other activations are not written");
    }
  }

  private static @Nullable String gradient(OperatorBackward flow, Node node, int output) {
    return output < node.outputs().size() ? flow.gradient(output) : null;
  }

  /** All hidden states; if the model does not output them, the layer runs again. */
  private static String states(Backward b, Node node) {
    return node.output().isEmpty()
        ? b.op(node.operator(), node.inputs(), node.attributes().toArray(new Attribute[0]))
        : node.output();
  }

  private interface OneDirection {
    /** The gradient of the input, and those of the initial states. */
    List<String> back(int index, boolean reversed) throws OnnxException;
  }

  private static void directions(
      Backward b, Node node, OperatorBackward flow, int states, OneDirection one)
      throws OnnxException {
    String direction = node.text("direction", "forward");
    boolean both = direction.equals("bidirectional");
    List<List<String>> found = new ArrayList<>();
    for (int index = 0; index < (both ? 2 : 1); index++) {
      found.add(one.back(index, both ? index == 1 : direction.equals("reverse")));
    }
    flow.send(0, both ? b.add(found.get(0).get(0), found.get(1).get(0)) : found.get(0).get(0));
    for (int state = 0; state < states; state++) {
      if (flow.needs(5 + state)) {
        List<String> rows = new ArrayList<>();
        for (List<String> each : found) {
          rows.add(b.op("Unsqueeze", each.get(1 + state), b.longs(0)));
        }
        flow.send(5 + state, b.concat(rows.toArray(new String[0])));
      }
    }
  }

  /**
   * {@code h = (1 - z)·n + z·h'}, {@code n = tanh(a + r·q)}, where {@code q} is the state's part of
   * the candidate (linear_before_reset, as in PyTorch).
   */
  private static void gru(Backward b, Node node, OperatorBackward flow) throws OnnxException {
    requireUsual(node, flow);
    if (node.number("linear_before_reset", 0) == 0) {
      throw Refusal.of(node, "linear_before_reset 0 is not written");
    }
    String y = states(b, node);
    directions(
        b,
        node,
        flow,
        1,
        (index, reversed) -> {
          Direction d = new Direction(b, node, y, index, reversed, 3);
          String one = b.real(1, d.states);
          String z = b.op("Sigmoid", d.sum(0));
          String r = b.op("Sigmoid", d.sum(1));
          String q = d.fromState.get(2);
          String n = b.op("Tanh", b.add(d.fromInput.get(2), b.mul(r, q)));
          String candidate = b.mul(b.sub(one, z), b.sub(one, b.mul(n, n)));
          String update = b.mul(b.sub(d.before, n), b.mul(z, b.sub(one, z)));
          String reset = b.mul(q, b.mul(r, b.sub(one, r)));
          Steps steps = new Steps(b, node, reversed);
          String dh = steps.state(d.arrived(gradient(flow, node, 1), index, 0, d.first));
          String g = steps.each(d.arrived(gradient(flow, node, 0), index, 1, d.states));
          String total = steps.op("Add", dh, g);
          String dn = steps.op("Mul", total, steps.each(candidate));
          String dz = steps.op("Mul", total, steps.each(update));
          String dr = steps.op("Mul", dn, steps.each(reset));
          String dq = steps.op("Mul", dn, steps.each(r));
          String back = steps.op("MatMul", steps.row(dz, dr, dq), d.recurrent);
          String kept = steps.op("Mul", total, steps.each(z));
          steps.next(steps.op("Add", kept, back));
          steps.give(steps.row(dz, dr, dn));
          List<String> out = steps.run();
          return List.of(b.op("MatMul", out.get(1), d.weight), out.get(0));
        });
  }

  /** {@code c = f·c' + i·g}, {@code h = o·tanh(c)}; gates in ONNX's order: i, o, f, c. */
  private static void lstm(Backward b, Node node, OperatorBackward flow) throws OnnxException {
    requireUsual(node, flow);
    String y = states(b, node);
    directions(
        b,
        node,
        flow,
        2,
        (index, reversed) -> {
          Direction d = new Direction(b, node, y, index, reversed, 4);
          String one = b.real(1, d.states);
          String i = b.op("Sigmoid", d.sum(0));
          String o = b.op("Sigmoid", d.sum(1));
          String f = b.op("Sigmoid", d.sum(2));
          String g = b.op("Tanh", d.sum(3));
          String c0 = initial(b, node, 6, index, node.number("hidden_size", 0));
          Steps cells = new Steps(b, node, !reversed);
          String c = cells.state(c0);
          String cell = cells.op("Add", cells.op("Mul", c, cells.each(f)), cells.each(b.mul(i, g)));
          cells.next(cell);
          cells.give(cells.op("Identity", cell));
          String all = cells.run().get(1);
          String tanh = b.op("Tanh", all);
          String before = d.previous(c0, all);
          Steps steps = new Steps(b, node, reversed);
          String dh = steps.state(d.arrived(gradient(flow, node, 1), index, 0, d.first));
          String dc = steps.state(d.arrived(gradient(flow, node, 2), index, 0, c0));
          String arrived = steps.each(d.arrived(gradient(flow, node, 0), index, 1, d.states));
          String total = steps.op("Add", dh, arrived);
          String through = steps.each(b.mul(o, b.sub(one, b.mul(tanh, tanh))));
          String inner = steps.op("Add", dc, steps.op("Mul", total, through));
          String di = steps.op("Mul", inner, steps.each(b.mul(g, b.mul(i, b.sub(one, i)))));
          String dout = steps.op("Mul", total, steps.each(b.mul(tanh, b.mul(o, b.sub(one, o)))));
          String df = steps.op("Mul", inner, steps.each(b.mul(before, b.mul(f, b.sub(one, f)))));
          String dg = steps.op("Mul", inner, steps.each(b.mul(i, b.sub(one, b.mul(g, g)))));
          String gates = steps.row(di, dout, df, dg);
          steps.next(steps.op("MatMul", gates, d.recurrent));
          steps.next(steps.op("Mul", inner, steps.each(f)));
          steps.give(steps.op("Identity", gates));
          List<String> out = steps.run();
          return List.of(b.op("MatMul", out.get(2), d.weight), out.get(0), out.get(1));
        });
  }

  /** A Scan being written: states go from step to step, other values come one step at a time. */
  private static final class Steps {
    private final Backward b;
    private final boolean ascending;
    private final String prefix;
    private final TensorType type;
    private final List<Node> nodes = new ArrayList<>();
    private final List<String> starts = new ArrayList<>();
    private final List<String> sequences = new ArrayList<>();
    private final List<ValueInfo> inputs = new ArrayList<>();
    private final List<ValueInfo> scanned = new ArrayList<>();
    private final List<ValueInfo> nexts = new ArrayList<>();
    private final List<ValueInfo> given = new ArrayList<>();

    Steps(Backward b, Node node, boolean ascending) {
      this.b = b;
      this.ascending = ascending;
      prefix = b.fresh("steps");
      type = new TensorType(b.element(node.inputs().get(0)), null);
    }

    private String name(String what) {
      return prefix + "/" + what + (inputs.size() + scanned.size() + nodes.size());
    }

    String state(String start) {
      String name = name("state");
      starts.add(start);
      inputs.add(ValueInfo.of(name, type));
      return name;
    }

    String each(String sequence) {
      String name = name("each");
      sequences.add(sequence);
      scanned.add(ValueInfo.of(name, type));
      return name;
    }

    String op(String operator, String... values) {
      return add(operator, List.of(values));
    }

    /** Concatenates gates. */
    String row(String... values) {
      return add("Concat", List.of(values), Attribute.of("axis", -1));
    }

    private String add(String operator, List<String> values, Attribute... attributes) {
      String name = name(operator);
      nodes.add(Node.of(operator, name, values, List.of(name), Arrays.asList(attributes)));
      return name;
    }

    void next(String state) {
      nexts.add(ValueInfo.of(state, type));
    }

    void give(String value) {
      given.add(ValueInfo.of(value, type));
    }

    /** The last states, then the result of each step. */
    List<String> run() {
      List<ValueInfo> bodyInputs = new ArrayList<>(inputs);
      bodyInputs.addAll(scanned);
      List<ValueInfo> bodyOutputs = new ArrayList<>(nexts);
      bodyOutputs.addAll(given);
      List<String> all = new ArrayList<>(starts);
      all.addAll(sequences);
      long[] in = new long[sequences.size()];
      long[] out = new long[given.size()];
      Arrays.fill(in, ascending ? 0 : 1);
      Arrays.fill(out, ascending ? 0 : 1);
      return b.ops(
          "Scan",
          bodyOutputs.size(),
          all,
          Attribute.of("body", Graph.of(nodes, List.of(), bodyInputs, bodyOutputs)),
          Attribute.of("num_scan_inputs", sequences.size()),
          Attribute.of("scan_input_directions", in),
          Attribute.of("scan_output_directions", out));
    }
  }
}
