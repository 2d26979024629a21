package io.camhook.agent.weave;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Model;
import ai.djl.inference.Predictor;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Block;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.JniUtils;
import ai.djl.training.ParameterStore;
import io.camhook.ForwardHook;
import io.camhook.HookHandle;
import io.camhook.HookOptions;
import io.camhook.config.CamhookConfig;
import io.camhook.config.CamhookConfig.Target;
import io.camhook.djl.BlockHooks;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * Hooks that replace values inside of a TorchScript model: {@code features}, {@code gap}, {@code
 * flatten}, {@code fc}. The numbers follow from its last layer: logits = W · flatten + b.
 */
class ScriptReplaceTest {
  private static final Path ARCHIVES = Path.of("../runtime/src/test/resources/torchscript");
  private static final String GAP_LINEAR = "gap_linear.traced.pt";
  private static final HookOptions REPLACING = HookOptions.replacing();

  private final NDManager manager = NDManager.newBaseManager("PyTorch");
  private final List<HookHandle> handles = new ArrayList<>();
  private final boolean gradMode = JniUtils.isGradMode();

  @AfterEach
  void close() {
    handles.forEach(HookHandle::remove);
    JniUtils.setGradMode(gradMode);
    manager.close();
  }

  /** Twice what the layer returned; as YAML names it. */
  static final class Twice implements ForwardHook<Block, NDList> {
    @Override
    public NDList afterForward(Block block, String path, NDList in, @Nullable NDList out) {
      return new NDList(Nets.times(out.head(), 2));
    }
  }

  private interface Use {
    void of(Model model) throws Exception;
  }

  private static void with(CamhookConfig.Model entry, Use use) throws Exception {
    try (WovenDjl djl = new WovenDjl(WovenDjl.config(0, false, entry));
        Model model = Model.newInstance("net", "PyTorch")) {
      model.load(ARCHIVES, GAP_LINEAR);
      use.of(model);
      assertThat(djl.messages).isEmpty();
      assertThat(djl.failures).isEmpty();
    }
  }

  private static void with(Use use) throws Exception {
    with(WovenDjl.model(Target.TOP1, null), use);
  }

  private NDArray input() {
    return Nets.input(manager, 1, 3, 48, 40);
  }

  private float[] predict(Model model) throws Exception {
    try (Predictor<NDList, NDList> predictor = model.newPredictor(Nets.unbatched())) {
      return predictor.predict(new NDList(input())).head().toFloatArray();
    }
  }

  @Test
  void each_hook_should_see_what_the_earlier_ones_changed() throws Exception {
    with(
        model -> {
          float[] plain = predict(model);
          List<Float> seen = new ArrayList<>();
          handles.add(
              BlockHooks.registerForwardHook(
                  model, "gap", (m, p, in, out) -> new NDList(out.head().mul(0)), REPLACING));
          handles.add(
              BlockHooks.registerForwardPreHook(
                  model,
                  "flatten",
                  (m, p, in) -> {
                    seen.add(in.head().sum().getFloat());
                    in.set(0, in.head().add(1));
                    return in;
                  },
                  REPLACING));
          handles.add(
              BlockHooks.registerForwardHook(
                  model,
                  "flatten",
                  (m, p, in, out) -> {
                    seen.add(in.head().mean().getFloat());
                    seen.add(out.head().mean().getFloat());
                    return null; // only looks, in the same pass
                  }));
          float[] replaced = predict(model);
          assertThat(seen).containsExactly(0f, 1f, 1f);
          assertThat(replaced).isNotEqualTo(plain);
          handles.forEach(HookHandle::remove);
          assertThat(predict(model)).containsExactly(plain);
        });
  }

  @Test
  void replaced_logits_should_be_what_the_caller_gets() throws Exception {
    with(
        model -> {
          float[] plain = predict(model);
          handles.add(BlockHooks.registerForwardHook(model, "fc", new Twice(), REPLACING));
          float[] twice = predict(model);
          for (int i = 0; i < plain.length; i++) {
            assertThat(twice[i]).isEqualTo(2 * plain[i]);
          }
        });
  }

  @Test
  void hook_of_the_yaml_should_replace_where_it_says_so() throws Exception {
    float[][] plain = new float[1][];
    with(model -> plain[0] = predict(model));
    CamhookConfig.Hook hook =
        new CamhookConfig.Hook(List.of("fc"), Twice.class.getName(), true, Map.of());
    CamhookConfig.Model entry =
        new CamhookConfig.Model(
            "net", List.of(), java.util.Set.of(), Target.TOP1, null, List.of(hook), null);
    with(entry, model -> assertThat(predict(model)[0]).isEqualTo(2 * plain[0][0]));
  }

  @Test
  void hook_that_throws_should_end_the_pass_there() throws Exception {
    with(
        model -> {
          float[] plain = predict(model);
          List<String> later = new ArrayList<>();
          handles.add(
              BlockHooks.registerForwardHook(
                  model,
                  "gap",
                  (m, p, in, out) -> {
                    throw new IllegalStateException("enough");
                  },
                  REPLACING));
          handles.add(
              BlockHooks.registerForwardHook(
                  model,
                  "fc",
                  (m, p, in, out) -> {
                    later.add(p);
                    return null;
                  }));
          assertThatThrownBy(() -> predict(model))
              .hasRootCauseInstanceOf(IllegalStateException.class)
              .hasRootCauseMessage("enough");
          assertThat(later).isEmpty();
          handles.forEach(HookHandle::remove);
          assertThat(predict(model)).containsExactly(plain);
        });
  }

  @Test
  void wrong_number_of_arrays_should_be_refused_with_the_layer() throws Exception {
    with(
        model -> {
          handles.add(
              BlockHooks.registerForwardHook(
                  model, "gap", (m, p, in, out) -> new NDList(), REPLACING));
          assertThatThrownBy(() -> predict(model))
              .hasStackTraceContaining(
                  "layer gap (AdaptiveAvgPool2d): its forward hook returned 0 arrays, expected 1");
        });
  }

  @Test
  void backward_hook_that_replaces_should_be_refused_when_registered() throws Exception {
    with(
        model ->
            assertThatThrownBy(
                    () ->
                        BlockHooks.registerFullBackwardHook(
                            model, "gap", (m, p, in, out) -> in, REPLACING))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("where a full backward hook can only look"));
  }

  @Test
  void gradients_should_go_through_the_replacement() throws Exception {
    with(
        model -> {
          handles.add(BlockHooks.registerForwardHook(model, "fc", new Twice(), REPLACING));
          JniUtils.setGradMode(true);
          float[] twice = gradient(model);
          handles.forEach(HookHandle::remove);
          float[] once = gradient(model);
          for (int i = 0; i < once.length; i++) {
            assertThat(twice[i]).isEqualTo(2 * once[i]);
          }
        });
  }

  private float[] gradient(Model model) {
    NDArray x = input();
    x.setRequiresGradient(true);
    NDArray logits =
        model.getBlock().forward(new ParameterStore(manager, false), new NDList(x), true).head();
    JniUtils.backward(
        (PtNDArray) logits, (PtNDArray) manager.ones(logits.getShape()), false, false);
    return x.getGradient().toFloatArray();
  }
}
