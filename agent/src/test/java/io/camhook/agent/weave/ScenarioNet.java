package io.camhook.agent.weave;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.AbstractBlock;
import ai.djl.nn.Activation;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.convolutional.Conv2d;
import ai.djl.nn.core.Linear;
import ai.djl.nn.norm.BatchNorm;
import ai.djl.nn.pooling.Pool;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;
import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/** The blocks of a scenario: DJL's own if it has them, otherwise formulas. */
final class ScenarioNet {
  final Map<String, Block> blocks = new LinkedHashMap<>();
  final Map<String, NDArray> parameters = new LinkedHashMap<>();
  private final NDManager manager;
  private final Consumer<NDList> body;
  final Map<String, Runnable> inForward = new HashMap<>();

  /** {@code body} is called with the inputs where a module records that its forward ran. */
  ScenarioNet(JsonNode modules, NDManager manager, Consumer<NDList> body) {
    this.manager = manager;
    this.body = body;
    List<JsonNode> list = new ArrayList<>();
    modules.forEach(list::add);
    for (int i = list.size() - 1; i >= 0; i--) { // children before parents
      build(list.get(i), list);
    }
  }

  private void build(JsonNode module, List<JsonNode> all) {
    String path = module.get("path").asText();
    Map<String, Block> children = new LinkedHashMap<>();
    for (JsonNode other : all) {
      String child = other.get("path").asText();
      if (child.startsWith(path + ".") && child.indexOf('.', path.length() + 1) < 0) {
        children.put(child.substring(path.length() + 1), blocks.get(child));
      }
    }
    JsonNode config = module.path("config");
    String type = module.get("type").asText();
    Block block =
        switch (type) {
          case "Sequential" -> sequential(children);
          case "Linear" -> Linear.builder().setUnits(config.get("out_features").asLong()).build();
          case "Conv2d" ->
              Conv2d.builder()
                  .setFilters(config.get("out_channels").asInt())
                  .setKernelShape(
                      new Shape(
                          config.get("kernel_size").get(0).asLong(),
                          config.get("kernel_size").get(1).asLong()))
                  .optBias(false)
                  .build();
          case "MaxPool2d" -> Pool.maxPool2dBlock(new Shape(2, 2), new Shape(2, 2));
          case "ReLU" ->
              config.path("inplace").asBoolean()
                  ? new Formula(path, "relu_", children)
                  : Activation.reluBlock();
          case "BatchNorm1d" -> BatchNorm.builder().optEpsilon(1e-5f).optMomentum(0.9f).build();
          case "custom" -> new Formula(path, config.get("formula").asText(), children);
          default -> new Formula(path, "linear", children);
        };
    if (type.equals("BatchNorm1d")) {
      block.initialize(manager, DataType.FLOAT32, new Shape(4, 2));
    }
    Map<String, String> names =
        Map.of(
            "weight",
            type.equals("BatchNorm1d") ? "gamma" : "weight",
            "bias",
            type.equals("BatchNorm1d") ? "beta" : "bias",
            "running_mean",
            "runningMean",
            "running_var",
            "runningVar");
    module
        .path("parameters")
        .fields()
        .forEachRemaining(
            entry -> {
              NDArray array = tensor(entry.getValue().get("value"));
              boolean requires = entry.getValue().get("requires_grad").asBoolean();
              Parameter parameter = block.getDirectParameters().get(names.get(entry.getKey()));
              NDArray held = set(parameter, array);
              held.setRequiresGradient(requires);
              parameters.put(path + "." + entry.getKey(), held);
            });
    module
        .path("buffers")
        .fields()
        .forEachRemaining(
            entry -> {
              Parameter parameter = block.getDirectParameters().get(names.get(entry.getKey()));
              JsonNode value = entry.getValue();
              set(parameter, tensor(value.has("value") ? value.get("value") : value));
            });
    blocks.put(path, block);
  }

  private static NDArray set(Parameter parameter, NDArray array) {
    if (parameter.isInitialized()) {
      parameter.getArray().set(array.toFloatArray());
      return parameter.getArray();
    }
    parameter.setArray(array);
    return array;
  }

  private static SequentialBlock sequential(Map<String, Block> children) {
    SequentialBlock block = new SequentialBlock();
    children.values().forEach(block::add);
    return block;
  }

  NDArray tensor(JsonNode value) {
    List<Long> shape = new ArrayList<>();
    for (JsonNode level = value; level.isArray(); level = level.get(0)) {
      shape.add((long) level.size());
    }
    List<Float> flat = new ArrayList<>();
    flatten(value, flat);
    float[] values = new float[flat.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = flat.get(i);
    }
    return manager.create(values, new Shape(shape.stream().mapToLong(Long::longValue).toArray()));
  }

  private static void flatten(JsonNode value, List<Float> flat) {
    if (value.isArray()) {
      value.forEach(entry -> flatten(entry, flat));
    } else {
      flat.add((float) value.asDouble());
    }
  }

  /** A module without a counterpart in DJL. */
  final class Formula extends AbstractBlock {
    private final String path;
    private final String formula;
    private final Map<String, Block> named;
    private Parameter weight;
    private Parameter bias;

    Formula(String path, String formula, Map<String, Block> children) {
      this.path = path;
      this.formula = formula;
      this.named = children;
      children.forEach(this::addChildBlock);
      if (formula.equals("linear")) {
        weight =
            addParameter(
                Parameter.builder().setName("weight").setType(Parameter.Type.WEIGHT).build());
        bias =
            addParameter(Parameter.builder().setName("bias").setType(Parameter.Type.BIAS).build());
      }
    }

    @Override
    protected NDList forwardInternal(
        ParameterStore store, NDList in, boolean training, PairList<String, Object> params) {
      Runnable hook = inForward.remove(path);
      if (hook != null) {
        hook.run();
      }
      if (formula.equals("linear")) {
        body.accept(in);
        return Linear.linear(in.head(), weight.getArray(), bias.getArray());
      }
      if (formula.startsWith("raises")) {
        throw new Thrown("ValueError", "forward failed");
      }
      NDArray x = in.head();
      return switch (formula.split(";")[0].replaceAll(" \\(.*", "").trim()) {
        case "relu_" -> new NDList(x.muli(x.gt(0f).toType(x.getDataType(), false)));
        case "out = a * b" ->
            new NDList(x.mul(params == null ? in.get(1) : (NDArray) params.get("b")));
        case "out = a * b + a" -> new NDList(x.mul(in.get(1)).add(x));
        case "out = a * c" -> new NDList(Nets.times(x, ((Double) params.get("c")).floatValue()));
        case "out = 3 * a" -> new NDList(Nets.times(x, 3));
        case "out = 2 * x" -> new NDList(Nets.times(x, 2));
        case "out =" -> new NDList(Nets.times(x, 2), Nets.times(x, 3)); // (2 * x, 3 * x)
        case "out = [2 * x, 3 * x]" -> new NDList(Nets.times(x, 2), Nets.times(x, 3));
        case "out = 5 *" -> new NDList(Nets.times(x.mul(x), 5));
        case "out = x" -> new NDList(x);
        case "out = x.detach()" -> new NDList(x.stopGradient());
        case "out = x * scale" ->
            new NDList(Nets.times(x, ((Double) params.get("scale")).floatValue()));
        case "out = fc(fc(x))" ->
            named.get("fc").forward(store, named.get("fc").forward(store, in, training), training);
        case "out = x + inner(x)" ->
            new NDList(x.add(named.get("inner").forward(store, in, training).head()));
        case "out = left(x) + right(x)" ->
            new NDList(
                named
                    .get("left")
                    .forward(store, in, training)
                    .head()
                    .add(named.get("right").forward(store, in, training).head()));
        case "out = used(x)" -> {
          NDList used = named.get("used").forward(store, in, training);
          named.get("unused").forward(store, in, training);
          yield used;
        }
        default -> throw new IllegalStateException("formula " + formula);
      };
    }

    @Override
    public Shape[] getOutputShapes(Shape[] inputShapes) {
      return inputShapes;
    }
  }

  /** An exception of a hook or a forward. */
  static final class Thrown extends RuntimeException {
    final String type;

    Thrown(String type, String message) {
      super(message);
      this.type = type;
    }
  }
}
