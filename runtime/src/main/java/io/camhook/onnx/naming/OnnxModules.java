package io.camhook.onnx.naming;

import io.camhook.naming.LayerPattern;
import io.camhook.naming.Nearest;
import io.camhook.onnx.graph.Attribute;
import io.camhook.onnx.graph.Dimension;
import io.camhook.onnx.graph.Node;
import io.camhook.onnx.graph.OnnxException;
import io.camhook.onnx.graph.OnnxModel;
import io.camhook.onnx.graph.TensorData;
import io.camhook.onnx.graph.TensorType;
import io.camhook.onnx.graph.ValueInfo;
import io.camhook.onnx.naming.ModuleInstances.Instance;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The modules of an ONNX graph. Both exporters of PyTorch leave their names: the older one in the
 * names of nodes ({@code /layer4/layer4.1/conv2/Conv}), the newer one in the nodes' metadata
 * ({@code pkg.torch.onnx.name_scopes}). A module's result is the one value that is computed inside
 * it, depends on the input and is used outside it.
 *
 * <p>Exporters fold a BatchNorm into the convolution before it. The remaining node then computes
 * what the BatchNorm returned, and the convolution's own value is not in the file. Such a module
 * has a {@link OnnxModule#reason} and no value: a name never stands for a value that the module did
 * not return.
 *
 * <p>Every node and value can also be addressed by its exact name, as Netron and other tools show
 * it; models from most other exporters have no other names. Thread-safe.
 */
public final class OnnxModules {
  private static final int CLOSEST = 3;

  /** Operators whose result is the module's, if a parameter shows which module that is. */
  private static final Set<String> OF_PARAMETERS =
      Set.of(
          "Conv",
          "ConvTranspose",
          "Gemm",
          "MatMul",
          "BatchNormalization",
          "InstanceNormalization",
          "LayerNormalization",
          "GroupNormalization",
          "PRelu",
          "Gather");

  private final OnnxModel model;
  private final Map<String, TensorType> types;
  private final List<Node> nodes;
  private final Map<String, Integer> makers = new HashMap<>();
  private final Map<String, List<Integer>> readers = new HashMap<>();
  private final Set<String> dependent = new HashSet<>();
  private final Set<String> inputs = new LinkedHashSet<>();
  private final Set<String> outputs = new LinkedHashSet<>();
  private final Set<String> parameters = new HashSet<>();
  private final List<@Nullable String> innermost;
  private final List<OnnxModule> modules = new ArrayList<>();
  private final Map<String, OnnxModule> byLabel = new LinkedHashMap<>();
  private final Map<String, Integer> position = new HashMap<>();

  private OnnxModules(OnnxModel model, Map<String, TensorType> types) throws OnnxException {
    this.model = model;
    this.types = types;
    nodes = model.graph().nodes();
    model.graph().outputs().forEach(output -> outputs.add(output.name()));
    model.graph().initializers().forEach(tensor -> parameters.add(tensor.name()));
    model.graph().realInputs().forEach(input -> inputs.add(input.name()));
    dependent.addAll(inputs);
    for (int i = 0; i < nodes.size(); i++) {
      Node node = nodes.get(i);
      boolean depends = false;
      for (String read : node.reads()) {
        readers.computeIfAbsent(read, key -> new ArrayList<>()).add(i);
        depends |= dependent.contains(read);
      }
      for (String output : node.outputs()) {
        makers.put(output, i);
        if (depends && !node.is("Shape") && !node.is("Size")) {
          dependent.add(output);
        }
      }
    }
    ModuleInstances instances = new ModuleInstances(nodes, parameters);
    innermost = instances.innermost();
    List<Instance> found = instances.all();
    found.forEach(instance -> add(module(instance), instance.last()));
    if (found.isEmpty()) {
      byParameters();
      byNodes();
    }
    add(root(), nodes.size());
  }

  /**
   * Reads the names.
   *
   * @param types types of the values, from an engine; a value without a type is treated as real
   */
  public static OnnxModules of(OnnxModel model, Map<String, TensorType> types)
      throws OnnxException {
    return new OnnxModules(model, types);
  }

  /** The modules in the order in which they return; the whole model, {@code .}, comes last. */
  public List<OnnxModule> all() {
    return List.copyOf(modules);
  }

  /**
   * Resolves a name: a module path ({@code layer4.1}, {@code relu#1}: its second call), or the
   * exact name of a value or of a node.
   *
   * @throws OnnxException if nothing has that name, or the graph does not contain the module's
   *     value; the message gives the reason and similar names
   */
  public OnnxModule resolve(String name) throws OnnxException {
    OnnxModule module = byLabel.get(name);
    if (module != null && module.value() != null) {
      return module;
    }
    if (module != null) {
      throw new OnnxException(
          "layer '%s' is not in the graph: %s%s"
              .formatted(name, module.reason(), near(position.getOrDefault(name, 0))));
    }
    if (makers.containsKey(name) || inputs.contains(name)) {
      return ofValue(name, name);
    }
    for (Node node : nodes) {
      if (node.name().equals(name) && !node.output().isEmpty()) {
        return ofValue(name, node.output());
      }
    }
    throw unknown(name);
  }

  private OnnxModule ofValue(String name, String value) {
    Integer maker = makers.get(value);
    String operator = maker == null ? "input" : nodes.get(maker).qualifiedOperator();
    return new OnnxModule(name, 0, operator, value, null);
  }

  private OnnxException unknown(String name) {
    String prefix = name + ".";
    for (String parameter : parameters) {
      if (parameter.startsWith(prefix)) {
        List<Integer> reading = readers.getOrDefault(parameter, List.of());
        if (!reading.isEmpty()) {
          Node node = nodes.get(reading.get(0));
          String module = innermost.get(reading.get(0));
          return new OnnxException(
              "layer '%s' is not in the graph: the exporter merged it into %s%s%s"
                  .formatted(
                      name,
                      node.label(),
                      module == null ? "" : " of '" + module + "'",
                      near(reading.get(0))));
        }
      }
    }
    List<String> known =
        byLabel.values().stream()
            .filter(module -> module.value() != null)
            .map(OnnxModule::label)
            .toList();
    int dot = name.lastIndexOf('.');
    boolean inside = dot > 0 && byLabel.containsKey(name.substring(0, dot));
    return new OnnxException(
        "the graph has no module, node or value '%s'%s; closest: %s"
            .formatted(
                name,
                inside
                    ? ": exporters leave Dropout and Identity out, and fold BatchNorm into the"
                        + " convolution before it"
                    : "",
                String.join(", ", Nearest.containing(name, known, CLOSEST))));
  }

  /** The module whose value is computed next. */
  private String near(int index) {
    String best = null;
    int distance = Integer.MAX_VALUE;
    for (OnnxModule module : modules) {
      int at = position.getOrDefault(module.label(), 0);
      int far = at >= index ? at - index : 2 * (index - at) + 1;
      if (module.value() != null && !module.path().equals(".") && far < distance) {
        best = module.label();
        distance = far;
      }
    }
    return best == null ? "" : "; the nearest available: '" + best + "'";
  }

  private void add(OnnxModule module, int last) {
    modules.add(module);
    byLabel.putIfAbsent(module.label(), module);
    position.putIfAbsent(module.label(), last);
  }

  private OnnxModule root() {
    List<String> real = outputs.stream().filter(this::isReal).toList();
    String first = real.isEmpty() ? outputs.iterator().next() : real.get(0);
    return new OnnxModule(".", 0, ofValue(".", first).operator(), first, null);
  }

  private OnnxModule module(Instance instance) {
    Set<Integer> own = new HashSet<>(instance.nodes());
    Set<String> leaving = new LinkedHashSet<>();
    for (int index : instance.nodes()) {
      for (String output : nodes.get(index).outputs()) {
        if (!output.isEmpty() && leaves(output, own)) {
          leaving.add(output);
        }
      }
    }
    String operator = nodes.get(instance.last()).qualifiedOperator();
    if (leaving.isEmpty()) {
      return missing(instance, operator, "no value of it that depends on the input leaves it");
    }
    if (leaving.size() > 1) {
      return missing(
          instance,
          operator,
          "several values leave it, name one of them: " + String.join(", ", leaving));
    }
    String value = leaving.iterator().next();
    int maker = makers.getOrDefault(value, instance.last());
    operator = nodes.get(maker).qualifiedOperator();
    String reason = folded(instance, maker, own);
    return reason == null
        ? new OnnxModule(instance.path(), instance.call(), operator, value, null)
        : missing(instance, operator, reason);
  }

  private static OnnxModule missing(Instance instance, String operator, String reason) {
    return new OnnxModule(instance.path(), instance.call(), operator, null, reason);
  }

  /** Whether a value is used outside some nodes, depends on the input, and is real. */
  private boolean leaves(String value, Set<Integer> own) {
    return dependent.contains(value)
        && isReal(value)
        && (outputs.contains(value)
            || readers.getOrDefault(value, List.of()).stream().anyMatch(r -> !own.contains(r)));
  }

  private boolean isReal(String value) {
    TensorType type = types.get(value);
    return type == null || type.element().isReal();
  }

  /** Why a module's last value is not what it returned; null if it is. */
  private @Nullable String folded(Instance instance, int maker, Set<Integer> own) {
    if (instance.dotted()) {
      // The merged node carries the BatchNorm's name; the convolution's shows in its weight.
      String prefix = instance.path() + ".";
      for (int i = 0; i < nodes.size(); i++) {
        if (!own.contains(i) && convolves(nodes.get(i)) && reads(nodes.get(i), prefix)) {
          return "the exporter merged its last convolution with the BatchNorm after it, "
              + nodes.get(i).output();
        }
      }
      return null;
    }
    Node node = nodes.get(maker);
    if (!convolves(node) || !renamed(node.input(1)) || !renamed(node.input(2))) {
      return null;
    }
    // The merged node carries the convolution's name, which does not say where the BatchNorm was.
    // In a Sequential it follows; elsewhere it may be outside, and the value would be another
    // module's.
    String path = String.valueOf(innermost.get(maker));
    String below =
        path.length() > instance.path().length() ? path.substring(instance.path().length()) : "";
    for (String part : below.split("\\.")) {
      if (!part.isEmpty() && part.chars().allMatch(Character::isDigit)) {
        return null;
      }
    }
    return "the exporter folded a BatchNorm into its convolution, whose own value is gone ("
        + node.output()
        + " is the BatchNorm's)";
  }

  private static boolean convolves(Node node) {
    return node.is("Conv") || node.is("ConvTranspose");
  }

  private boolean reads(Node node, String prefix) {
    return node.inputs().stream().anyMatch(i -> parameters.contains(i) && i.startsWith(prefix));
  }

  /** Whether a parameter lost its name because it was recomputed. */
  private boolean renamed(@Nullable String parameter) {
    return parameter != null && parameters.contains(parameter) && parameter.startsWith("onnx::");
  }

  /** Without scopes: modules that are one operator, known by the names of their parameters. */
  private void byParameters() {
    Map<String, List<Integer>> reading = new TreeMap<>();
    for (String parameter : parameters) {
      int dot = parameter.lastIndexOf('.');
      String kind = parameter.substring(dot + 1);
      if (dot > 0 && (kind.equals("weight") || kind.equals("bias"))) {
        reading
            .computeIfAbsent(parameter.substring(0, dot), key -> new ArrayList<>())
            .addAll(readers.getOrDefault(parameter, List.of()));
      }
    }
    reading.forEach(
        (path, indices) -> {
          if (indices.isEmpty()) {
            return;
          }
          int last = indices.stream().mapToInt(Integer::intValue).max().getAsInt();
          Node node = nodes.get(last);
          if (OF_PARAMETERS.contains(node.operator()) || addsToProduct(node)) {
            add(new OnnxModule(path, 0, node.qualifiedOperator(), node.output(), null), last);
          }
        });
  }

  /** A linear layer's bias, or the end of a LayerNorm that was written out. */
  private boolean addsToProduct(Node node) {
    return node.is("Add")
        && node.inputs().stream()
            .map(makers::get)
            .anyMatch(
                maker ->
                    maker != null && (nodes.get(maker).is("MatMul") || nodes.get(maker).is("Mul")));
  }

  private void byNodes() {
    for (int i = 0; i < nodes.size(); i++) {
      Node node = nodes.get(i);
      if (dependent.contains(node.output()) && isReal(node.output())) {
        String name = node.name().isEmpty() ? node.output() : node.name();
        if (!byLabel.containsKey(name)) {
          add(new OnnxModule(name, 0, node.qualifiedOperator(), node.output(), null), i);
        }
      }
    }
  }

  /**
   * The layer that {@code auto} means.
   *
   * @param module the outermost one that returns it; a value in no module has its own name
   * @param notice a notice for the user; null if there is none
   */
  public record Auto(OnnxModule module, @Nullable String notice) {}

  /**
   * The layer that {@code auto} means: what the last global pool, or mean over positions, on every
   * way to the score takes in; else the norm before the last attention; else the last map that the
   * score does not merely rearrange.
   *
   * @param score the output that holds the scores
   * @param taken shapes of the values of one run
   * @throws OnnxException if there is none
   */
  public Auto auto(String score, Map<String, long[]> taken) throws OnnxException {
    LastSpatialValue search =
        new LastSpatialValue(nodes, makers, dependent, this::isReal, this::axes);
    String value = search.find(score, taken);
    if (value == null) {
      throw new OnnxException(
          "no layer for 'auto': no global pool, no attention and no map that everything on the way"
              + " to '"
              + score
              + "' passes; name a layer");
    }
    OnnxModule best = null;
    for (OnnxModule module : modules) {
      // The outermost module that returns the value has the name that people use.
      if (value.equals(module.value())
          && !module.path().equals(".")
          && (best == null || module.path().length() < best.path().length())) {
        best = module;
      }
    }
    OnnxModule found = best == null ? ofValue(value, value) : best;
    return new Auto(
        found,
        search.isUnweightedUpTo(value, score)
            ? LayerPattern.onlyPoolingAfter(found.label())
            : null);
  }

  private long @Nullable [] axes(Node node) throws OnnxException {
    long[] declared = node.numbers("axes");
    String input = node.input(1);
    if (declared != null || input == null) {
      return declared;
    }
    for (TensorData tensor : model.graph().initializers()) {
      if (tensor.name().equals(input) && !tensor.isExternal()) {
        return tensor.longs();
      }
    }
    Integer maker = makers.get(input);
    Attribute constant = maker == null ? null : nodes.get(maker).attribute("value");
    TensorData tensor = constant == null ? null : constant.tensor();
    return tensor == null ? null : tensor.longs();
  }

  /** The shape of a value in words, such as {@code N×512×7×7}; null if it is unknown. */
  public @Nullable String shape(String value) {
    TensorType type = types.get(value);
    List<Dimension> dimensions = type == null ? null : type.dimensions();
    return dimensions == null
        ? null
        : String.join("×", dimensions.stream().map(Dimension::toString).toList());
  }

  /**
   * The real constants that nodes of a module read itself, by the module's path; {@code .} for
   * nodes outside any module.
   */
  public Map<String, List<TensorData>> parameters() {
    Map<String, TensorData> left = new LinkedHashMap<>();
    for (TensorData tensor : model.graph().initializers()) {
      if (tensor.type().isReal() && tensor.dimensions().length > 0) {
        left.put(tensor.name(), tensor);
      }
    }
    Map<String, List<TensorData>> found = new LinkedHashMap<>();
    for (int i = 0; i < nodes.size(); i++) {
      for (String read : nodes.get(i).inputs()) {
        TensorData tensor = left.remove(read);
        if (tensor != null) {
          found.computeIfAbsent(owner(i), key -> new ArrayList<>()).add(tensor);
        }
      }
    }
    return found;
  }

  private String owner(int index) {
    String module = innermost.get(index);
    if (module != null) {
      return module;
    }
    String name = nodes.get(index).name();
    return byLabel.containsKey(name) ? name : ".";
  }

  /** The graph's real outputs; scores are taken from the first. */
  public List<String> realOutputs() {
    return model.graph().outputs().stream().map(ValueInfo::name).filter(this::isReal).toList();
  }
}
