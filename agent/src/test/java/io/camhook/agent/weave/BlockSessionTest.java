package io.camhook.agent.weave;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.ParallelBlock;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.core.Linear;
import ai.djl.pytorch.jni.JniUtils;
import io.camhook.config.CamhookConfig.Target;
import io.camhook.dispatch.Dispatch;
import io.camhook.djl.DjlAdapter;
import io.camhook.engine.ModelSession;
import io.camhook.naming.ModuleDescription;
import io.camhook.recording.LayerOutput;
import io.camhook.recording.Tensor;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * Sessions over blocks of the application, on a model whose numbers are computed by hand: {@code h
 * = relu(W x)} with {@code W = [1, 1, -1]ᵀ}, {@code y = 3 h0 - 2 h1 + 5 h2}. At {@code x = 2}:
 * {@code h = [2, 2, 0]}, {@code y = 2}, {@code ∂y/∂h = [3, -2, 5]} and {@code dy/dx = 3 - 2 = 1}.
 */
class BlockSessionTest {
  private static final Tensor X = Tensor.ofFloats(new float[] {2}, 1, 1);
  private static final String HIDDEN = "02LambdaBlock";

  private static Model model() {
    SequentialBlock net =
        new SequentialBlock()
            .add(Linear.builder().setUnits(3).optBias(false).build())
            .add(Activation.reluBlock())
            .add(Linear.builder().setUnits(1).optBias(false).build());
    Model model = Nets.model("by hand", net, new Shape(1, 1));
    set(net, 0, 1, 1, -1);
    set(net, 2, 3, -2, 5);
    return model;
  }

  private static void set(SequentialBlock net, int child, float... weights) {
    NDArray array =
        net.getChildren().get(child).getValue().getDirectParameters().get("weight").getArray();
    array.set(weights);
  }

  private static ModelSession.OutputGradients ones() {
    return output -> {
      float[] ones = new float[(int) output.elements()];
      java.util.Arrays.fill(ones, 1);
      return List.of(Tensor.ofFloats(ones, output.shape()));
    };
  }

  private interface Body {
    void with(DjlAdapter adapter, Model model) throws Exception;
  }

  private static void woven(Body body) throws Exception {
    try (Model model = model();
        WovenDjl djl = new WovenDjl(WovenDjl.capturing(Target.NONE))) {
      boolean mode = JniUtils.isGradMode();
      DjlAdapter adapter = (DjlAdapter) Dispatch.engineOf(model.getBlock());
      body.with(adapter, model);
      assertThat(JniUtils.isGradMode()).isEqualTo(mode);
      assertThat(Dispatch.active).isFalse();
      assertThat(djl.failures).isEmpty();
    }
  }

  @Test
  void run_should_record_activation_and_gradient() throws Exception {
    woven(
        (adapter, model) -> {
          try (ModelSession session = adapter.attach(model, List.of(HIDDEN))) {
            ModelSession.Pass pass = session.run(List.of(X), ones(), false);
            LayerOutput layer = LayerOutput.of(HIDDEN);
            assertThat(pass.outputs().get(0).toFloats()).containsExactly(2);
            assertThat(pass.activations().get(layer).toFloats()).containsExactly(2, 2, 0);
            assertThat(pass.gradients().get(0).get(layer).toFloats()).containsExactly(3, -2, 5);
            assertThat(session.run(List.of(X), null, true).gradients()).isEmpty();
          }
        });
  }

  @Test
  void input_gradient_should_be_that_of_the_model_and_guided_that_of_positive_gradients()
      throws Exception {
    woven(
        (adapter, model) -> {
          try (ModelSession session = adapter.attach(model, List.of())) {
            assertThat(session.inputGradient(List.of(X), 0, ones()).toFloats()).containsExactly(1);
            // h1's gradient is negative and is dropped, h2 is not active: 3 is left.
            assertThat(session.guidedInputGradient(List.of(X), 0, ones()).toFloats())
                .containsExactly(3);
          }
        });
  }

  @Test
  void guided_gradient_should_add_up_the_ways_that_meet_in_a_residual_block() throws Exception {
    // z = relu(x), y = relu(z) + 2 z, at 2: z receives 1 through the inner ReLU and 2 around it.
    ParallelBlock both =
        new ParallelBlock(lists -> new NDList(lists.get(0).head().add(lists.get(1).head())))
            .add(Activation.reluBlock())
            .add(list -> new NDList(list.head().mul(2)));
    SequentialBlock net = new SequentialBlock().add(Activation.reluBlock()).add(both);
    try (Model model = Nets.model("residual", net, new Shape(1, 1));
        WovenDjl djl = new WovenDjl(WovenDjl.capturing(Target.NONE))) {
      DjlAdapter adapter = (DjlAdapter) Dispatch.engineOf(net);
      try (ModelSession session = adapter.attach(model, List.of())) {
        assertThat(session.guidedInputGradient(List.of(X), 0, ones()).toFloats())
            .containsExactly(3);
      }
      assertThat(djl.failures).isEmpty();
    }
  }

  @Test
  void outputs_from_a_layer_should_be_those_of_the_replaced_batch() throws Exception {
    woven(
        (adapter, model) -> {
          try (ModelSession session = adapter.attach(model, List.of(HIDDEN))) {
            Tensor batch = Tensor.ofFloats(new float[] {1, 0, 0, 0, 1, 0, 1, 1, 1}, 3, 3);
            assertThat(session.outputsFrom(HIDDEN, batch, List.of(X)).get(0).toFloats())
                .containsExactly(3, -2, 6);
            assertThat(session.outputs(List.of(X)).get(0).toFloats()).containsExactly(2);
          }
        });
  }

  @Test
  void data_that_goes_around_the_replaced_layer_should_be_that_of_every_input() throws Exception {
    // cat(relu(x), x): the second half bypasses the layer and must be repeated.
    ParallelBlock both =
        new ParallelBlock(lists -> new NDList(lists.get(0).head().concat(lists.get(1).head(), 1)))
            .add(Activation.reluBlock())
            .add(list -> list);
    SequentialBlock net = new SequentialBlock().add(both);
    try (Model model = Nets.model("around", net, new Shape(1, 1));
        WovenDjl djl = new WovenDjl(WovenDjl.capturing(Target.NONE))) {
      DjlAdapter adapter = (DjlAdapter) Dispatch.engineOf(net);
      String path = "01ParallelBlock.01LambdaBlock";
      try (ModelSession session = adapter.attach(net, List.of(path))) {
        Tensor batch = Tensor.ofFloats(new float[] {7, 8}, 2, 1);
        assertThat(session.outputsFrom(path, batch, List.of(X)).get(0).toFloats())
            .containsExactly(7, 2, 8, 2);
      }
      assertThat(djl.failures).isEmpty();
    }
  }

  @Test
  void hessian_product_should_be_zero_where_the_score_is_linear_in_the_layer() throws Exception {
    woven(
        (adapter, model) -> {
          try (ModelSession session = adapter.attach(model, List.of(HIDDEN))) {
            Tensor vector = Tensor.ofFloats(new float[] {1, 1, 1}, 1, 3);
            assertThat(session.hessianProduct(List.of(X), ones(), HIDDEN, vector).toFloats())
                .containsExactly(0, 0, 0);
          }
        });
  }

  @Test
  void listing_should_name_the_modules_in_every_spelling() throws Exception {
    woven(
        (adapter, model) -> {
          List<ModuleDescription> modules = adapter.describe(model);
          assertThat(modules.stream().map(ModuleDescription::path))
              .containsExactly(".", "01Linear", HIDDEN, "03Linear");
          assertThat(modules.get(1).aliases()).containsExactly("0");
          assertThat(modules.get(1).parameters().get(0).shape()).containsExactly(3L, 1L);
          assertThat(modules.get(3).type()).isEqualTo("ai.djl.nn.core.Linear");
        });
  }

  @Test
  void session_without_woven_blocks_should_say_which_flag_is_missing() throws Exception {
    try (Model model = model();
        ModelSession session = new DjlAdapter().attach(model, List.of(HIDDEN))) {
      assertThatThrownBy(() -> session.outputs(List.of(X)))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("-javaagent:camhook-agent.jar");
    }
  }
}
