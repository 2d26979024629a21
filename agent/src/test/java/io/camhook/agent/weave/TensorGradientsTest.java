package io.camhook.agent.weave;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.JniUtils;
import io.camhook.HookHandle;
import io.camhook.Hooks;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Gradients of tensors that are not leaves. The lecture's example throughout: a = x + w, b = w + 1,
 * y = a · b at x = 2, w = 1, hence a = 3, b = 2, dy/da = 2, dy/db = 3, dy/dw = 5, dy/dx = 2.
 */
class TensorGradientsTest {
  @RegisterExtension static final HookedGraphs GRAPHS = new HookedGraphs();

  private final NDManager manager = GRAPHS.manager();
  private NDArray x;
  private NDArray w;
  private NDArray a;
  private NDArray b;
  private NDArray y;

  @BeforeEach
  void compute() {
    x = manager.create(2f);
    w = manager.create(1f);
    x.setRequiresGradient(true);
    w.setRequiresGradient(true);
    a = x.add(w);
    b = w.add(1f);
    y = a.mul(b);
  }

  private void backward(NDArray from, boolean keepGraph) {
    NDArray one = manager.create(1f);
    JniUtils.backward((PtNDArray) from, (PtNDArray) one, keepGraph, false);
  }

  @Test
  void retained_gradient_should_be_that_of_the_tensor_and_add_up() {
    Hooks.retainGrad(y);
    NDArray z = Nets.times(y, 3f);
    backward(z, true);
    assertThat(y.getGradient().getFloat()).isEqualTo(3f);
    backward(z, false);
    assertThat(y.getGradient().getFloat()).isEqualTo(6f);
    assertThat(w.getGradient().getFloat()).isEqualTo(30f); // twice 3 · 5
  }

  @Test
  void retained_gradient_should_be_right_where_the_tensor_was_used_before() {
    Hooks.retainGrad(a);
    backward(y, false);
    assertThat(a.getGradient().getFloat()).isEqualTo(2f);
    assertThat(w.getGradient().getFloat()).isEqualTo(5f);
  }

  @Test
  void retaining_should_change_nothing_at_a_leaf() {
    Hooks.retainGrad(w);
    backward(y, false);
    assertThat(w.getGradient().getFloat()).isEqualTo(5f);
  }

  @Test
  void retained_gradient_should_be_that_of_the_value_after_a_change_in_place() {
    NDArray c = Nets.times(x, 4f);
    Hooks.retainGrad(c);
    try (HookHandle hook = Hooks.registerHook(c, (NDArray g) -> Nets.times(g, 10f))) {
      c.addi(1f); // the hook belongs to the value from before
      backward(c.mul(a), false); // d/dc = a = 3
    }
    assertThat(c.getGradient().getFloat()).isEqualTo(3f);
    assertThat(x.getGradient().getFloat()).isEqualTo(129f); // 3 · 10 · 4 and c = 9 through a
  }

  @Test
  void gradients_should_be_those_of_leaves_and_of_results() {
    List<NDArray> found = Hooks.grad(y, List.of(w, a, b, x));
    assertThat(found).extracting(NDArray::getFloat).containsExactly(5f, 2f, 3f, 2f);
    assertThat(w.getGradient().getFloat()).isZero(); // DJL's zero: there is none
  }

  @Test
  void gradients_should_start_from_the_one_given_and_can_keep_the_graph() {
    NDArray seven = manager.create(7f);
    assertThat(Hooks.grad(y, seven, List.of(w), true).get(0).getFloat()).isEqualTo(35f);
    assertThat(Hooks.grad(y, seven, List.of(w), false).get(0).getFloat()).isEqualTo(35f);
    assertThatThrownBy(() -> Hooks.grad(y, List.of(w)))
        .hasMessageContaining("backward through the graph a second time");
  }

  @Test
  void only_hooks_on_the_way_should_run_and_what_they_return_counts() {
    List<String> seen = new ArrayList<>();
    try (HookHandle ofA =
            Hooks.registerHook(
                a,
                (NDArray g) -> {
                  seen.add("a " + g.getFloat());
                  return Nets.times(g, 10f);
                });
        HookHandle ofB =
            Hooks.registerHook(
                b,
                (NDArray g) -> {
                  seen.add("b " + g.getFloat());
                  return null;
                });
        HookHandle ofX =
            Hooks.registerHook(
                x,
                (NDArray g) -> {
                  seen.add("x " + g.getFloat());
                  return g.add(1f);
                })) {
      assertThat(Hooks.grad(y, List.of(x)).get(0).getFloat()).isEqualTo(21f); // 2 · 10 + 1
    }
    assertThat(seen).containsExactly("a 2.0", "x 20.0");
  }

  @Test
  void gradient_should_be_null_where_the_output_does_not_depend_on_the_input() {
    assertThat(Hooks.grad(b, List.of(x, w)))
        .satisfiesExactly(
            ofX -> assertThat(ofX).isNull(), ofW -> assertThat(ofW.getFloat()).isEqualTo(1f));
  }

  @Test
  void tensors_without_gradient_should_be_refused() {
    NDArray constant = manager.create(1f);
    assertThatThrownBy(() -> Hooks.grad(constant, List.of(w)))
        .hasMessageStartingWith("grad needs, as its output, a tensor that requires a gradient");
    assertThatThrownBy(() -> Hooks.grad(y, List.of(constant)))
        .hasMessageStartingWith("grad needs, as an input, a tensor that requires a gradient");
    assertThatThrownBy(() -> Hooks.retainGrad(constant))
        .hasMessageStartingWith("retainGrad needs a tensor that requires a gradient");
  }
}
