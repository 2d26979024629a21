package io.camhook.agent.weave;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Model;
import ai.djl.inference.Predictor;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.JniUtils;
import ai.djl.training.ParameterStore;
import io.camhook.ForwardHook;
import io.camhook.FullBackwardHook;
import io.camhook.HookHandle;
import io.camhook.HookOptions;
import io.camhook.Hooks;
import io.camhook.config.CamhookConfig.Target;
import io.camhook.djl.BlockHooks;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Hooks on modules inside of a TorchScript model: {@code features}, three convolutions with ReLUs
 * that work in place; {@code gap}, {@code flatten}, {@code fc}.
 */
class ScriptHooksTest {
  private static final Path ARCHIVES = Path.of("../runtime/src/test/resources/torchscript");
  private static final String GAP_LINEAR = "gap_linear.traced.pt";

  private WovenDjl djl = new WovenDjl(WovenDjl.config(0, false, WovenDjl.model(Target.TOP1, null)));
  private final NDManager manager = NDManager.newBaseManager("PyTorch");
  private final List<String> events = new ArrayList<>();
  private final List<HookHandle> handles = new ArrayList<>();
  private final boolean gradMode = JniUtils.isGradMode();
  private Model model;

  @BeforeEach
  void load() throws Exception {
    model = Model.newInstance("net", "PyTorch");
    model.load(ARCHIVES, GAP_LINEAR);
  }

  @AfterEach
  void close() {
    handles.forEach(HookHandle::remove);
    JniUtils.setGradMode(gradMode);
    manager.close();
    model.close();
    djl.close();
  }

  @Test
  void hooks_should_run_in_the_order_of_the_calls() throws Exception {
    handles.addAll(
        List.of(
            Hooks.registerForwardPreHook(
                model,
                "*",
                (Block block, String path, NDList inputs) -> {
                  events.add("> " + path);
                  return null;
                }),
            Hooks.registerForwardHook(
                model,
                "*",
                (Block block, String path, NDList inputs, NDList outputs) -> {
                  events.add("< " + path + " " + inputs.size() + " " + outputs.size());
                  return null;
                })));
    predict();
    assertThat(events)
        .startsWith("> .", "> features", "> features.0", "< features.0 1 1", "> features.1")
        .endsWith(
            "< features.7 1 1",
            "< features 1 1",
            "> gap",
            "< gap 1 1",
            "> flatten",
            "< flatten 1 1",
            "> fc",
            "< fc 1 1",
            "< . 1 1")
        .hasSize(2 * 13);
    handles.forEach(HookHandle::remove);
    events.clear();
    predict();
    assertThat(events).isEmpty();
    assertThat(djl.messages).isEmpty();
  }

  @Test
  void values_should_be_those_of_the_moment_of_the_call() throws Exception {
    Map<String, float[]> values = new ConcurrentHashMap<>();
    try (HookHandle handle =
        Hooks.registerForwardHook(
            model,
            "**",
            (Block block, String path, NDList inputs, NDList outputs) -> {
              values.put("> " + path, inputs.head().toFloatArray());
              values.put("< " + path, outputs.head().toFloatArray());
              return null;
            })) {
      predict();
    }
    // features.1 is a ReLU that works in place on what features.0 returned
    float[] before = values.get("< features.0");
    float[] after = before.clone();
    for (int i = 0; i < after.length; i++) {
      after[i] = Math.max(after[i], 0);
    }
    assertThat(after).isNotEqualTo(before);
    assertThat(values.get("> features.1")).containsExactly(before);
    assertThat(values.get("< features.1")).containsExactly(after);
    assertThat(values.get("> features.2")).containsExactly(after);
    assertThat(values.get("> fc")).containsExactly(values.get("< flatten"));
    assertThat(values.get("< .")).containsExactly(values.get("< fc"));
  }

  @Test
  void gradients_should_be_what_arithmetic_gives() throws Exception {
    Map<String, float[]> gradients = new ConcurrentHashMap<>();
    List<String> without = new ArrayList<>();
    watchBackward(
        (block, path, gradInputs, gradOutputs) -> {
          events.add(path);
          gradients.put("< " + path, gradOutputs.head().toFloatArray());
          NDArray gradient = gradInputs.head();
          if (gradient == null) {
            without.add(path);
          } else {
            gradients.put("> " + path, gradient.toFloatArray());
          }
          return null;
        });
    NDArray x = input();
    NDArray seed = backwardOfThirdClass(x);
    // logit = fc.bias + Σ_c fc.weight[2,c] · mean over H·W of A_c
    float[] row = weight().get(2).toFloatArray();
    assertThat(gradients.get("< fc")).containsExactly(seed.toFloatArray());
    assertThat(gradients.get("> fc")).containsExactly(row);
    float[] features = gradients.get("< features");
    int area = features.length / row.length;
    for (int i = 0; i < features.length; i++) {
      assertThat(features[i]).isEqualTo(row[i / area] / area);
    }
    assertThat(gradients.get("> features")).containsExactly(x.getGradient().toFloatArray());
    // a ReLU that works in place leaves no node for the gradient of its input alone
    assertThat(without).containsExactly("features.7", "features.4", "features.1");
    assertThat(events)
        .startsWith("fc", "flatten", "gap", "features.7")
        .endsWith("features.0", "features", ".");
  }

  /** Runs forward, and backward from the logit of class 2; gives ∂logit/∂logits. */
  private NDArray backwardOfThirdClass(NDArray x) {
    JniUtils.setGradMode(true);
    x.setRequiresGradient(true);
    NDArray logits = forward(x).head();
    NDArray seed = manager.zeros(logits.getShape());
    seed.set(new NDIndex(0, 2), 1);
    JniUtils.backward((PtNDArray) logits, (PtNDArray) seed, false, false);
    return seed;
  }

  @Test
  void full_backward_pre_hooks_should_see_the_gradient_of_the_output_before_the_full_hooks_do() {
    Map<String, float[]> seen = new ConcurrentHashMap<>();
    for (String layer : List.of("fc", "features")) {
      handles.add(
          BlockHooks.registerFullBackwardPreHook(
              model,
              layer,
              (block, path, gradOutputs) -> {
                events.add("pre " + path);
                seen.put(path, gradOutputs.head().toFloatArray());
                return null;
              }));
      handles.add(
          BlockHooks.registerFullBackwardHook(
              model,
              layer,
              (block, path, gradInputs, gradOutputs) -> {
                events.add("full " + path);
                return null;
              }));
    }
    NDArray x = input();
    NDArray seed = backwardOfThirdClass(x);
    assertThat(events).containsExactly("pre fc", "full fc", "pre features", "full features");
    assertThat(seen.get("fc")).containsExactly(seed.toFloatArray());
    float[] row = weight().get(2).toFloatArray();
    float[] features = seen.get("features");
    int area = features.length / row.length;
    for (int i = 0; i < features.length; i++) {
      assertThat(features[i]).isEqualTo(row[i / area] / area);
    }
  }

  @Test
  void training_with_hooks_should_give_the_gradients_that_it_gives_without() throws Exception {
    byte[] plain = parameterGradients();
    assertThat(parameterGradients("**")).isEqualTo(plain);
    assertThat(events).hasSize(13);
    assertThat(djl.messages).isEmpty();
  }

  @Test
  void tensor_hook_on_a_value_inside_should_see_and_replace_its_gradient() {
    JniUtils.setGradMode(true);
    NDArray x = input();
    x.setRequiresGradient(true);
    List<float[]> seen = new ArrayList<>();
    handles.add(
        BlockHooks.registerForwardHook(
            model,
            "gap",
            (block, path, inputs, outputs) -> {
              handles.add(
                  BlockHooks.registerHook(
                      outputs.head(),
                      gradient -> {
                        seen.add(gradient.toFloatArray());
                        return gradient.zerosLike();
                      }));
              return null;
            }));
    NDArray logits = forward(x).head();
    NDArray seed = manager.zeros(logits.getShape());
    seed.set(new NDIndex(0, 2), 1);
    JniUtils.backward((PtNDArray) logits, (PtNDArray) seed, false, false);
    assertThat(seen).hasSize(1);
    assertThat(seen.get(0)).containsExactly(weight().get(2).toFloatArray());
    assertThat(x.getGradient().countNonzero().getLong()).isZero();
  }

  private byte[] parameterGradients(String... hooked) throws Exception {
    JniUtils.setGradMode(true);
    try (Model copy = Model.newInstance("net", "PyTorch")) {
      copy.load(ARCHIVES, GAP_LINEAR, Map.of("trainParam", "true"));
      for (String layers : hooked) {
        handles.add(
            Hooks.registerFullBackwardHook(
                copy,
                layers,
                (Block block, String path, NDList in, NDList out) -> {
                  events.add(path);
                  return null;
                }));
        handles.add(
            Hooks.registerForwardHook(
                copy, layers, (Block block, String path, NDList in, NDList out) -> null));
      }
      NDList outputs =
          copy.getBlock().forward(new ParameterStore(manager, false), new NDList(input()), true);
      NDArray seed = manager.ones(outputs.head().getShape());
      JniUtils.backward((PtNDArray) outputs.head(), (PtNDArray) seed, false, false);
      NDList gradients = new NDList();
      copy.getBlock()
          .getParameters()
          .forEach(p -> gradients.add(p.getValue().getArray().getGradient()));
      return Nets.bytes(gradients);
    }
  }

  @Test
  void replacements_should_be_refused_with_the_path() throws Exception {
    byte[] plain = predict();
    try (HookHandle handle =
        Hooks.registerForwardHook(
            model, "gap", (Block block, String path, NDList in, NDList out) -> out)) {
      assertThatThrownBy(this::predict)
          .hasRootCauseInstanceOf(IllegalStateException.class)
          .hasStackTraceContaining(
              "layer gap (AdaptiveAvgPool2d): its forward hook returned outputs, but")
          .hasStackTraceContaining("where hooks only look by default: return null");
    }
    try (HookHandle handle =
        Hooks.registerForwardPreHook(
            model, "gap", (Block block, String path, NDList inputs) -> inputs)) {
      assertThatThrownBy(this::predict)
          .hasStackTraceContaining("its forward pre hook returned inputs, but");
    }
    assertThat(predict()).isEqualTo(plain);
    assertThat(JniUtils.isGradMode()).isEqualTo(gradMode);
  }

  @Test
  void replacement_of_a_gradient_should_be_refused_before_any_is_accumulated() throws Exception {
    JniUtils.setGradMode(true);
    NDArray x = input();
    x.setRequiresGradient(true);
    try (HookHandle handle =
        Hooks.registerFullBackwardHook(
            model,
            "fc",
            (Block block, String path, NDList in, NDList out) -> new NDList(in.head().mul(2)))) {
      NDArray logits = forward(x).head();
      assertThatThrownBy(
              () ->
                  JniUtils.backward(
                      (PtNDArray) logits,
                      (PtNDArray) manager.ones(logits.getShape()),
                      false,
                      false))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("layer fc (Linear): its backward hook returned a gradient")
          .hasMessageContaining("where backward hooks only look: return null");
      assertThat(x.getGradient().countNonzero().getLong()).isZero();
    }
  }

  @Test
  void hook_that_throws_should_reach_the_caller_and_leave_nothing_behind() throws Exception {
    byte[] plain = predict();
    HookHandle throwing =
        Hooks.registerForwardHook(
            model,
            "gap",
            (Block block, String path, NDList in, NDList out) -> {
              throw new IllegalArgumentException("mine");
            });
    List<Object> modules = new ArrayList<>();
    ForwardHook<Block, NDList> always =
        (block, path, in, out) -> {
          events.add(path);
          modules.add(block);
          return null;
        };
    try (HookHandle seen = Hooks.registerForwardHook(model, "gap", note(modules))) {
      assertThatThrownBy(this::predict).hasRootCauseMessage("mine");
    }
    assertThat(modules).isEmpty();
    throwing.remove();
    try (HookHandle seen = Hooks.registerForwardHook(model, "gap", note(modules))) {
      predict();
    }
    Object gap = modules.get(0);
    HookHandle again = throwing(gap);
    try (HookHandle seen =
        Hooks.registerForwardHook((Block) gap, always, new HookOptions(false, true))) {
      assertThatThrownBy(this::predict).hasRootCauseMessage("mine");
    }
    again.remove();
    assertThat(events).containsExactly("gap");
    assertThat(predict()).isEqualTo(plain);
  }

  private static HookHandle throwing(Object module) {
    return Hooks.registerForwardHook(
        (Block) module,
        (Block block, String path, NDList in, NDList out) -> {
          throw new IllegalArgumentException("mine");
        });
  }

  private static ForwardHook<Block, NDList> note(List<Object> modules) {
    return (block, path, in, out) -> {
      modules.add(block);
      return null;
    };
  }

  private void watchBackward(FullBackwardHook<Block, NDList> hook) {
    handles.add(Hooks.registerFullBackwardHook(model, "**", hook));
  }

  private byte[] predict() throws Exception {
    try (Predictor<NDList, NDList> predictor = model.newPredictor(Nets.unbatched());
        NDManager inputs = NDManager.newBaseManager("PyTorch")) {
      return Nets.bytes(predictor.predict(new NDList(input(inputs))));
    }
  }

  private NDList forward(NDArray x) {
    return model.getBlock().forward(new ParameterStore(manager, false), new NDList(x), true);
  }

  private NDArray weight() {
    return model.getBlock().getParameters().stream()
        .filter(parameter -> parameter.getKey().endsWith("fc.weight"))
        .findFirst()
        .orElseThrow()
        .getValue()
        .getArray();
  }

  private NDArray input() {
    return input(manager);
  }

  private static NDArray input(NDManager manager) {
    return Nets.input(manager, new Shape(1, 3, 48, 40).getShape());
  }
}
