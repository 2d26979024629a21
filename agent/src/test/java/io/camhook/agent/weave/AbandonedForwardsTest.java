package io.camhook.agent.weave;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Block;
import ai.djl.nn.SequentialBlock;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.JniUtils;
import ai.djl.training.ParameterStore;
import io.camhook.HookHandle;
import io.camhook.Hooks;
import io.camhook.djl.BlockHooks;
import io.camhook.djl.backward.GradPoints;
import io.camhook.djl.backward.HookedBackward;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Forwards without a backward, under a manager that stays open. The net is y = 2 · x, twice, with a
 * backward hook on each block, so dy/dx is 4.
 */
class AbandonedForwardsTest {
  private static final int ABANDONED = 200;
  @RegisterExtension static final HookedGraphs GRAPHS = new HookedGraphs();

  private final NDManager manager = GRAPHS.manager();
  private final List<HookHandle> handles = GRAPHS.handles();
  private final SequentialBlock net = new SequentialBlock().add(Nets.twice()).add(Nets.twice());
  private final List<String> events = new ArrayList<>();
  private final List<NDArray> inputs = new ArrayList<>();
  private final List<NDArray> outputs = new ArrayList<>();
  private float factor = 1;

  @BeforeEach
  void buildGraphs() {
    for (Block block : net.getChildren().values()) {
      handles.add(
          BlockHooks.registerFullBackwardHook(
              block,
              (m, path, in, out) -> {
                events.add(path.substring(0, 2) + " " + in.head().toFloatArray()[0]);
                return factor == 1 ? null : new NDList(in.head().mul(factor));
              }));
    }
  }

  private NDArray forward(NDArray x) {
    return net.forward(new ParameterStore(manager, false), new NDList(x), true).head();
  }

  private static void backward(NDArray y, boolean keep) {
    try (NDArray ones = y.onesLike()) {
      JniUtils.backward((PtNDArray) y, (PtNDArray) ones, keep, false);
    }
  }

  private void abandon() {
    for (int i = 0; i < ABANDONED; i++) {
      NDArray x = GRAPHS.x();
      inputs.add(x);
      outputs.add(forward(x));
    }
    letThemSleep();
  }

  /** Runs enough other backwards for the points to sleep. */
  private void letThemSleep() {
    for (int i = 0; i < 8; i++) {
      try (NDManager scope = manager.newSubManager()) {
        NDArray x = GRAPHS.x();
        x.attach(scope);
        backward(forward(x), false);
      }
    }
    events.clear();
    assertThat(GradPoints.all().awake()).isLessThanOrEqualTo(64); // the oldest
  }

  private NDArray x(int i) {
    return inputs.get(i);
  }

  private NDArray y(int i) {
    return outputs.get(i);
  }

  private static float[] grad(NDArray x) {
    return x.getGradient().toFloatArray();
  }

  @Test
  void backward_of_another_graph_should_ask_none_of_them() {
    abandon();
    NDArray x = GRAPHS.x();
    long before = HookedBackward.engineRuns();
    backward(forward(x), false);
    assertThat(HookedBackward.engineRuns() - before).isEqualTo(4);
    assertThat(events).containsExactly("02 2.0", "01 4.0");
    assertThat(grad(x)).containsExactly(4, 4);
  }

  @Test
  void backward_of_one_of_them_should_run_its_hooks() {
    abandon();
    backward(y(197), false);
    assertThat(events).containsExactly("02 2.0", "01 4.0");
    assertThat(grad(x(197))).containsExactly(4, 4);
    assertThat(grad(x(198))).containsExactly(0, 0);
    events.clear();
    backward(y(198), false);
    assertThat(events).containsExactly("02 2.0", "01 4.0");
    assertThat(grad(x(198))).containsExactly(4, 4);
  }

  @Test
  void what_their_hooks_return_should_count() {
    abandon();
    factor = 3;
    backward(y(197), false);
    assertThat(events).containsExactly("02 2.0", "01 12.0"); // 2, times 3, times 2
    assertThat(grad(x(197))).containsExactly(36, 36);
  }

  @Test
  void sum_of_some_and_of_a_new_one_should_come_to_each() {
    abandon();
    NDArray x = GRAPHS.x();
    NDArray y = forward(x);
    backward(NDArrays.add(y(193), y(150), y), false);
    assertThat(events).containsExactly("02 2.0", "01 4.0", "02 2.0", "01 4.0", "02 2.0", "01 4.0");
    assertThat(grad(x)).containsExactly(4, 4);
    assertThat(grad(x(193))).containsExactly(4, 4);
    assertThat(grad(x(150))).containsExactly(4, 4);
  }

  @Test
  void net_that_goes_on_from_one_of_them_should_come_to_it_last() {
    abandon();
    backward(forward(y(197)), false);
    assertThat(events).containsExactly("02 2.0", "01 4.0", "02 8.0", "01 16.0");
    assertThat(grad(x(197))).containsExactly(16, 16);
  }

  @Test
  void graph_that_is_kept_should_run_again() {
    abandon();
    backward(y(197), true);
    backward(y(197), true);
    assertThat(events).containsExactly("02 2.0", "01 4.0", "02 2.0", "01 4.0");
    assertThat(grad(x(197))).containsExactly(8, 8);
  }

  @Test
  void second_backward_should_be_refused() {
    abandon();
    backward(y(197), false);
    assertThatThrownBy(() -> backward(y(197), false))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("a second time");
    backward(y(198), false);
    assertThat(grad(x(198))).containsExactly(4, 4);
  }

  @Test
  void tensor_hook_that_comes_later_should_see_what_comes_through_them() {
    List<NDArray> middles = new ArrayList<>();
    for (int i = 0; i < ABANDONED; i++) {
      NDArray x = GRAPHS.x();
      NDArray middle = Nets.times(x, 2);
      inputs.add(x);
      middles.add(middle);
      outputs.add(forward(middle));
    }
    letThemSleep();
    NDArray middle = middles.get(197);
    List<Float> seen = new ArrayList<>();
    handles.add(
        BlockHooks.registerHook(
            middle,
            gradient -> {
              seen.add(gradient.toFloatArray()[0]);
              return gradient.mul(10);
            }));
    backward(y(197).add(Nets.times(middle, 3)), false);
    assertThat(seen).containsExactly(7f); // 4 through the net, and 3
    assertThat(events).containsExactly("02 2.0", "01 4.0");
    assertThat(grad(x(197))).containsExactly(140, 140); // 2 · 10 · 7
  }

  @Test
  void backward_inside_a_hook_should_leave_them_to_the_outer_one() {
    abandon();
    NDArray x = GRAPHS.x();
    Block block = Nets.twice();
    List<float[]> inner = new ArrayList<>();
    handles.add(
        BlockHooks.registerFullBackwardHook(
            block,
            (m, path, in, out) -> {
              JniUtils.setGradMode(true);
              NDArray own = GRAPHS.x();
              backward(forward(own), false); // the engine has reached y(197) by now
              JniUtils.setGradMode(false);
              inner.add(grad(own));
              return null;
            }));
    NDArray z =
        block.forward(new ParameterStore(manager, false), new NDList(x), true).singletonOrThrow();
    backward(z.add(y(197)), false);
    assertThat(inner).hasSize(1);
    assertThat(inner.get(0)).containsExactly(4, 4);
    assertThat(grad(x)).containsExactly(2, 2);
    assertThat(grad(x(197))).containsExactly(4, 4);
  }

  @Test
  void hook_of_a_leaf_should_wait_for_all_that_comes_through_them() {
    abandon();
    NDArray x = x(197);
    List<Float> seen = new ArrayList<>();
    handles.add(
        Hooks.registerPostAccumulateGradHook(
            x, (NDArray leaf) -> seen.add(leaf.getGradient().toFloatArray()[0])));
    backward(forward(Nets.times(x, 2).add(y(197))), false); // 4 · (2 + 4)
    assertThat(seen).containsExactly(24f);
  }

  @Test
  void gradient_that_is_asked_for_should_go_through_them() {
    abandon();
    long before = HookedBackward.engineRuns();
    List<NDArray> found = Hooks.grad(y(197), List.of(x(197), x(198)));
    assertThat(HookedBackward.engineRuns() - before).isLessThan(20);
    assertThat(found.get(0).toFloatArray()).containsExactly(4, 4);
    assertThat(found.get(1)).isNull();
    assertThat(events).containsExactly("02 2.0", "01 4.0");
  }

  @Test
  void manager_that_is_closed_too_early_should_be_said() {
    abandon();
    NDArray y;
    try (NDManager early = manager.newSubManager()) {
      for (int i = 0; i < ABANDONED; i++) {
        NDArray x = GRAPHS.x();
        x.attach(early);
        outputs.add(forward(x));
      }
      for (int i = 0; i < 8; i++) {
        NDArray x = GRAPHS.x();
        backward(forward(x), false);
      }
      y = outputs.get(outputs.size() - 1);
      y.attach(manager);
    }
    assertThatThrownBy(() -> backward(y, false))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("closed before this backward");
    backward(y(197), false);
    assertThat(grad(x(197))).containsExactly(4, 4);
  }
}
