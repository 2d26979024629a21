package io.camhook.agent.weave;

import static io.camhook.agent.weave.ScenarioOutcome.value;
import static io.camhook.agent.weave.ScenarioOutcome.values;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.JniUtils;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.camhook.ForwardHook;
import io.camhook.ForwardHookWithParams;
import io.camhook.ForwardPreHook;
import io.camhook.ForwardPreHookWithParams;
import io.camhook.FullBackwardHook;
import io.camhook.FullBackwardPreHook;
import io.camhook.HookHandle;
import io.camhook.HookOptions;
import io.camhook.Hooks;
import io.camhook.TensorHook;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Carries out one scenario of {@code traces.json} with DJL blocks: builds its net, registers its
 * hooks, runs its steps, and notes events and gradients in the trace's own encoding.
 */
final class HookScenario implements AutoCloseable {
  static final ObjectMapper JSON = new ObjectMapper();

  final JsonNode trace;
  final ArrayNode events = JSON.createArrayNode();
  final Map<Integer, Throwable> errors = new LinkedHashMap<>();
  final Map<String, Object> names = new HashMap<>();
  final ScenarioNet net;
  final Map<String, List<HookHandle>> handles = new HashMap<>();
  final NDManager manager = NDManager.newBaseManager("PyTorch");

  /** What hooks do beyond returning a value, by id; run when the hook is entered. */
  final Map<String, Runnable> effects = new HashMap<>();

  /** Steps that are described in prose. */
  final Map<String, Runnable> statements = new HashMap<>();

  /** What tensor-registering hooks see. */
  final Map<String, Object> seen = new HashMap<>();

  private final Map<String, Integer> calls = new HashMap<>();
  final Map<String, NDArray> inputs = new LinkedHashMap<>();
  private final ParameterStore store = new ParameterStore(manager, false);
  private final boolean gradMode = JniUtils.isGradMode();
  private boolean training;
  private int step;

  HookScenario(JsonNode trace) {
    this.trace = trace;
    JniUtils.setGradMode(true);
    net =
        new ScenarioNet(
            trace.get("net"),
            manager,
            in -> {
              ObjectNode event = event(null, "forward_body", null, "net");
              event.set("inputs", values(in));
              event.putNull("returned");
            });
    trace
        .get("inputs")
        .fields()
        .forEachRemaining(
            entry -> {
              NDArray array = net.tensor(entry.getValue().get("value"));
              array.setRequiresGradient(entry.getValue().get("requires_grad").asBoolean());
              inputs.put(entry.getKey(), array);
              names.put(entry.getKey(), array);
            });
  }

  void run() {
    int steps = trace.get("steps").size();
    for (step = 1; step <= steps; step++) {
      registerAll("before step " + step);
      String text = trace.get("steps").get(step - 1).asText().replaceFirst("^\\d+: ", "");
      try {
        runStep(text);
      } catch (Throwable e) {
        errors.put(step, e);
      }
      registerAll("after step " + step);
      stages.put(step, ScenarioOutcome.of(this));
    }
  }

  /** The outcomes after each step. */
  final Map<Integer, ObjectNode> stages = new HashMap<>();

  private void runStep(String text) throws Exception {
    String plain = text.replaceAll("  \\(.grad is not reset\\)", "");
    for (String statement : split(plain)) {
      runStatement(statement.trim());
    }
  }

  private static List<String> split(String text) {
    return List.of(text.split(";"));
  }

  private void runStatement(String statement) throws Exception {
    if (statements.containsKey(statement)) {
      statements.get(statement).run();
      return;
    }
    if (statement.matches("\\w+(\\(y\\))?\\.backward\\(.*\\)")) {
      String target = statement.substring(0, statement.indexOf(".backward"));
      backward((NDArray) evaluate(target), statement.contains("retain_graph=True"));
    } else if (statement.matches("\\w+\\.retain_grad\\(\\)")) {
      Hooks.retainGrad(names.get(statement.substring(0, statement.indexOf('.'))));
    } else if (statement.equals("g = autograd.grad(loss, h)")) {
      NDArray h = (NDArray) names.get("h");
      names.put("g", Hooks.grad((NDArray) names.get("loss"), List.of(h)).get(0));
    } else if (statement.equals("set all .grad to null")) {
      inputs.values().forEach(HookScenario::zeroGrad);
      net.parameters.values().forEach(HookScenario::zeroGrad);
    } else if (statement.equals("net.train()") || statement.equals("net.eval()")) {
      training = statement.equals("net.train()");
    } else if (statement.startsWith("without grad mode: ")) {
      JniUtils.setGradMode(false);
      try {
        runStatement(statement.substring("without grad mode: ".length()));
      } finally {
        JniUtils.setGradMode(true);
      }
    } else if (statement.startsWith("with grad mode: ")) {
      runStatement(statement.substring("with grad mode: ".length()));
    } else if (statement.equals("remove all four")) {
      handles.values().forEach(all -> all.forEach(HookHandle::remove));
    } else if (statement.matches("remove .*")) {
      for (String id : statement.substring("remove ".length()).split(" and | again")) {
        handles.get(id).forEach(HookHandle::remove);
      }
    } else if (statement.matches("handle \\d \\.remove\\(\\)")) {
      handles.get("f").get(statement.charAt(7) - '1').remove();
    } else if (statement.matches("register \\w+( on \\w+)?")) {
      register(statement.split(" ")[1]);
    } else if (statement.matches("register .*")) {
      return; // the hooks say when they are registered
    } else if (statement.matches("[(\\[]\\w+, \\w+[)\\]] = .*")) {
      NDList tuple = (NDList) evaluate(statement.substring(statement.indexOf('=') + 1));
      names.put(statement.substring(1, 2), tuple.get(0));
      names.put(statement.substring(4, 5), tuple.get(1));
    } else if (statement.matches("\\w+ = .*")) {
      assign(statement);
    } else {
      evaluate(statement);
    }
  }

  private void assign(String statement) throws Exception {
    String name = statement.substring(0, statement.indexOf(' '));
    String formula = statement.substring(statement.indexOf('=') + 1).trim();
    int constant = formula.indexOf(", c = ");
    if (constant >= 0) {
      names.put("c", net.tensor(JSON.readTree(formula.substring(constant + 6))));
      formula = formula.substring(0, constant);
    }
    names.put(name, evaluate(formula));
  }

  /** DJL's own backward, with the keepGraph flag that its collector lacks. */
  static void backward(NDArray target, boolean keepGraph) {
    NDArray one = target.getManager().ones(target.getShape(), target.getDataType());
    JniUtils.backward((PtNDArray) target, (PtNDArray) one, keepGraph, false);
  }

  private static void zeroGrad(NDArray array) {
    if (JniUtils.requiresGrad((PtNDArray) array)) {
      NDArray grad = array.getGradient();
      grad.subi(grad);
    }
  }

  Object evaluate(String formula) {
    Map<String, Function<NDList, Object>> functions = new HashMap<>();
    functions.put("sum", list -> list.head().sum());
    functions.put("mean", list -> list.head().mean());
    net.blocks.forEach(
        (path, block) -> {
          functions.put(path, list -> single(call(block, list, null)));
          functions.put(path + ".forward", list -> single(forwardInternal(block, list)));
        });
    return Expression.evaluate(keywords(formula, functions), names, functions);
  }

  /** {@code net(x, scale=3)}: DJL's params; so is the argument that is no tensor. */
  private String keywords(String formula, Map<String, Function<NDList, Object>> functions) {
    PairList<String, Object> params = new PairList<>();
    String rest = formula;
    Matcher named = Pattern.compile(", (\\w+)=(\\w+)\\)").matcher(formula);
    if (formula.contains("net(a, 4)")) {
      params.add("c", 4.0);
      rest = formula.replace("net(a, 4)", "net(a)");
    } else if (named.find()) {
      params.add(
          named.group(1),
          names.containsKey(named.group(2))
              ? names.get(named.group(2))
              : Double.valueOf(named.group(2)));
      rest = named.replaceFirst(")");
    } else {
      return rest;
    }
    functions.put("net", list -> single(call(net.blocks.get("net"), list, params)));
    return rest;
  }

  private static Object single(NDList list) {
    return list.size() == 1 ? list.head() : list;
  }

  /** What PyTorch calls forward, which hooks do not see, is DJL's forwardInternal. */
  private NDList forwardInternal(Block block, NDList arguments) {
    for (Class<?> type = block.getClass(); type != null; type = type.getSuperclass()) {
      for (Method method : type.getDeclaredMethods()) {
        if (method.getName().equals("forwardInternal")
            && method.getParameterCount() == 4
            && method.getParameterTypes()[2] == boolean.class) {
          try {
            method.setAccessible(true);
            return (NDList) method.invoke(block, store, arguments, training, null);
          } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
          }
        }
      }
    }
    throw new IllegalArgumentException(block.toString());
  }

  NDList call(Block block, NDList arguments, PairList<String, Object> params) {
    return block.forward(store, arguments, training, params);
  }

  private void registerAll(String moment) {
    for (JsonNode hook : trace.get("hooks")) {
      if (hook.get("registered").asText().equals(moment)
          && !(handles.containsKey(hook.get("id").asText())
              && !hook.get("behaviour").asText().contains("handle 2"))) {
        register(hook);
      }
    }
  }

  void register(String id) {
    for (JsonNode hook : trace.get("hooks")) {
      if (hook.get("id").asText().equals(id)) {
        register(hook);
        return;
      }
    }
    throw new IllegalArgumentException(id);
  }

  private void register(JsonNode hook) {
    String target = hook.get("target").asText();
    boolean global = hook.get("scope").asText().equals("global");
    HookOptions options =
        new HookOptions(
            hook.at("/options/prepend").asBoolean(), hook.at("/options/always_call").asBoolean());
    boolean params = hook.at("/options/with_kwargs").asBoolean();
    Block block = net.blocks.get(target);
    HookHandle handle =
        switch (hook.get("kind").asText()) {
          case "forward_pre" -> {
            ForwardPreHook<Block, NDList> pre = (m, p, in) -> forwardPre(hook, m, in);
            ForwardPreHookWithParams<Block, NDList, PairList<String, Object>> withParams =
                (m, p, in, kw) -> forwardPre(hook, m, in, kw);
            yield global
                ? Hooks.registerForwardPreHookForAllModules(pre)
                : params
                    ? Hooks.registerForwardPreHookWithParams(block, withParams, options)
                    : Hooks.registerForwardPreHook(block, pre, options);
          }
          case "forward" -> {
            ForwardHook<Block, NDList> forward = (m, p, in, out) -> forward(hook, m, in, null, out);
            ForwardHookWithParams<Block, NDList, PairList<String, Object>> withParams =
                (m, p, in, kw, out) -> forward(hook, m, in, kw, out);
            yield global
                ? Hooks.registerForwardHookForAllModules(forward)
                : params
                    ? Hooks.registerForwardHookWithParams(block, withParams, options)
                    : Hooks.registerForwardHook(block, forward, options);
          }
          case "full_backward_pre" -> {
            FullBackwardPreHook<Block, NDList> pre = (m, p, out) -> backward(hook, m, null, out);
            yield global
                ? Hooks.registerFullBackwardPreHookForAllModules(pre)
                : Hooks.registerFullBackwardPreHook(block, pre, options);
          }
          case "full_backward" -> {
            FullBackwardHook<Block, NDList> full = (m, p, in, out) -> backward(hook, m, in, out);
            yield global
                ? Hooks.registerFullBackwardHookForAllModules(full)
                : Hooks.registerFullBackwardHook(block, full, options);
          }
          case "tensor" -> {
            TensorHook<NDArray> tensor = grad -> tensor(hook, grad);
            yield Hooks.registerHook(tensorNamed(hook), tensor);
          }
          case "post_accumulate_grad" ->
              Hooks.registerPostAccumulateGradHook(
                  tensorNamed(hook), (NDArray leaf) -> accumulated(hook, leaf));
          default -> throw new IllegalArgumentException(hook.toString());
        };
    handles.computeIfAbsent(hook.get("id").asText(), id -> new ArrayList<>()).add(handle);
  }

  private NDArray tensorNamed(JsonNode hook) {
    String id = hook.get("id").asText();
    if (seen.containsKey(id)) {
      return (NDArray) seen.get(id);
    }
    String target = hook.get("target").asText().split(",")[0];
    NDArray parameter = net.parameters.get(target);
    return parameter != null ? parameter : (NDArray) names.get(target);
  }

  private NDList forwardPre(JsonNode hook, Block module, NDList in) {
    ObjectNode event = event(hook, "forward_pre", module, null);
    event.set("inputs", values(in));
    return returned(hook, event, Map.of("args", in));
  }

  private ForwardPreHookWithParams.Call<NDList, PairList<String, Object>> forwardPre(
      JsonNode hook, Block module, NDList in, PairList<String, Object> params) {
    ObjectNode event = event(hook, "forward_pre", module, null);
    event.set("inputs", values(in));
    event.set("kwargs", params(params));
    // the only behaviour of a pre hook with kwargs: ((args[0] + 1,), {scale: 10})
    PairList<String, Object> replaced = new PairList<>();
    replaced.add("scale", 10.0);
    NDList args = new NDList(in.head().add(1f));
    ObjectNode form = event.putObject("returned").put("form", "args_and_kwargs");
    form.set("args", values(args));
    form.set("kwargs", params(replaced));
    return new ForwardPreHookWithParams.Call<>(args, replaced);
  }

  private NDList forward(
      JsonNode hook, Block module, NDList in, PairList<String, Object> params, NDList out) {
    ObjectNode event = event(hook, "forward", module, null);
    event.set("inputs", values(in));
    if (params != null) {
      event.set("kwargs", params(params));
    }
    event.set("outputs", out == null ? JSON.nullNode() : values(out));
    Map<String, Object> values = new HashMap<>();
    values.put("args", in);
    values.put("output", out == null ? null : single(out));
    return returned(hook, event, values);
  }

  private NDList backward(JsonNode hook, Block module, NDList in, NDList out) {
    ObjectNode event =
        event(hook, in == null ? "full_backward_pre" : "full_backward", module, null);
    if (in != null) {
      event.set("grad_input", values(in));
    }
    event.set("grad_output", values(out));
    Map<String, Object> values = new HashMap<>();
    values.put("grad_input", in);
    values.put("grad_output", out);
    return returned(hook, event, values);
  }

  private NDArray tensor(JsonNode hook, NDArray grad) {
    ObjectNode event = event(hook, "tensor", null, hook.get("target").asText());
    event.set("grad", value(grad));
    NDList result = returned(hook, event, Map.of("grad", grad));
    return result == null ? null : result.head();
  }

  private void accumulated(JsonNode hook, NDArray leaf) {
    ObjectNode event = event(hook, "post_accumulate_grad", null, hook.get("target").asText());
    event.set("value", value(leaf));
    event.set("accumulated_grad", value(leaf.getGradient()));
    event.putNull("returned");
    JniUtils.setGradMode(false);
    leaf.subi(leaf.getGradient().mul(0.5f));
  }

  private NDList returned(JsonNode hook, ObjectNode event, Map<String, Object> values) {
    String id = hook.get("id").asText();
    String behaviour = hook.get("behaviour").asText();
    int call = calls.merge(id, 1, Integer::sum);
    event.putNull("returned");
    seen.put("args of " + id, values.get("args"));
    seen.put("output of " + id, values.get("output"));
    Runnable effect = effects.get(id);
    if (effect != null) {
      effect.run();
    }
    if (behaviour.startsWith("raises") && (call == 1 || !behaviour.contains("first call"))) {
      String type = behaviour.substring(7, behaviour.indexOf('('));
      String message = behaviour.replaceAll(".*\\('(.*?)'\\).*", "$1");
      event.putObject("raised").put("type", type).put("message", message);
      throw new ScenarioNet.Thrown(type, message);
    }
    String formula = formula(behaviour);
    if (formula.equals("None")) {
      return null;
    }
    Map<String, Object> all = new HashMap<>(names);
    all.putAll(values);
    Map<String, Function<NDList, Object>> functions = new HashMap<>();
    functions.put("sum", list -> list.head().sum());
    functions.put("ones", list -> manager.ones(new Shape(1, 2)));
    Object value = Expression.evaluate(formula, all, functions);
    NDList list = value instanceof NDArray array ? new NDList(array) : (NDList) value;
    event
        .putObject("returned")
        .put("form", value instanceof NDArray ? "tensor" : "tuple")
        .set("values", values(list));
    return list;
  }

  private static String formula(String behaviour) {
    int at = behaviour.indexOf("returns ");
    if (at < 0 || behaviour.contains("returns None")) {
      return "None";
    }
    String formula =
        behaviour
            .substring(at + "returns ".length())
            .replaceAll("^the tuple ", "")
            .replaceAll(", a scalar.*", "")
            .replaceAll(" \\(a tensor.*", "")
            .replaceAll("^the arguments' first tensor", "args[0]");
    return formula
        .replaceAll("\\(sum of (.*?),\\)", "(sum($1),)")
        .replaceAll("^the sum of grad", "sum(grad)")
        .replaceAll("\\(a \\[1,2\\] tensor of ones,\\)", "(ones(),)");
  }

  private ObjectNode event(JsonNode hook, String kind, Block module, String target) {
    ObjectNode event = JSON.createObjectNode();
    event.put("order", events.size() + 1).put("step", step);
    event.put("hook", hook == null ? null : hook.get("id").asText()).put("kind", kind);
    if (hook != null) {
      event.put("scope", hook.get("scope").asText());
    }
    event.put("target", module == null ? target : pathOf(module));
    events.add(event);
    return event;
  }

  private String pathOf(Block module) {
    for (Map.Entry<String, Block> entry : net.blocks.entrySet()) {
      if (entry.getValue() == module) {
        return entry.getKey();
      }
    }
    return "?";
  }

  private ObjectNode params(PairList<String, Object> params) {
    ObjectNode node = JSON.createObjectNode();
    if (params != null) {
      params.forEach(
          pair -> {
            if (pair.getValue() instanceof NDArray array) {
              node.set(pair.getKey(), value(array));
            } else {
              node.putObject(pair.getKey()).put("non_tensor", (Double) pair.getValue());
            }
          });
    }
    return node;
  }

  @Override
  public void close() {
    handles.values().forEach(all -> all.forEach(HookHandle::remove));
    JniUtils.setGradMode(gradMode);
    manager.close();
  }
}
