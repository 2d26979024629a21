package io.camhook.agent.weave;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.AbstractBlock;
import ai.djl.nn.Block;
import ai.djl.nn.SequentialBlock;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.JniUtils;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;
import io.camhook.ForwardHook;
import io.camhook.FullBackwardHook;
import io.camhook.HookHandle;
import io.camhook.HookOptions;
import io.camhook.Hooks;
import io.camhook.TensorHook;
import io.camhook.djl.BlockHooks;
import io.camhook.djl.backward.HookedBackward;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Cases that used to fail silently. The net is y = 2 · x, twice, so dy/dx is 4. */
class HookCornersTest {
  @RegisterExtension static final HookedGraphs GRAPHS = new HookedGraphs();

  private final NDManager manager = GRAPHS.manager();
  private final List<HookHandle> handles = GRAPHS.handles();
  private final SequentialBlock net = new SequentialBlock().add(Nets.twice()).add(Nets.twice());
  private final Block first = net.getChildren().valueAt(0);

  private void backward(NDArray y) {
    NDArray ones = manager.ones(y.getShape());
    JniUtils.backward((PtNDArray) y, (PtNDArray) ones, false, false);
  }

  private NDArray afterBackward(NDArray x) {
    backward(GRAPHS.forward(net, x));
    return x.getGradient();
  }

  @Test
  void backward_hook_that_changes_its_list_and_returns_it_should_count() {
    handles.add(
        BlockHooks.registerFullBackwardHook(
            first,
            (m, p, in, out) -> {
              in.set(0, in.get(0).mul(4));
              return in;
            }));
    assertThat(afterBackward(GRAPHS.x()).toFloatArray()).containsExactly(16, 16);
  }

  @Test
  void backward_hook_that_changes_its_array_and_returns_it_should_count() {
    handles.add(
        BlockHooks.registerFullBackwardHook(
            first, (m, p, in, out) -> new NDList(in.get(0).muli(4))));
    assertThat(afterBackward(GRAPHS.x()).toFloatArray()).containsExactly(16, 16);
  }

  @Test
  void tensor_hooks_that_change_their_array_and_return_it_should_count() {
    NDArray x = GRAPHS.x();
    NDArray h = GRAPHS.forward(first, x);
    handles.add(BlockHooks.registerHook(h, g -> g.muli(4)));
    handles.add(BlockHooks.registerHook(x, g -> g.muli(3)));
    backward(h);
    assertThat(x.getGradient().toFloatArray()).containsExactly(24, 24);
  }

  @Test
  void forward_hook_that_changes_its_list_should_count_only_by_what_it_returns() {
    NDArray x = GRAPHS.x();
    handles.add(
        BlockHooks.registerForwardHook(
            first,
            (m, p, in, out) -> {
              in.clear();
              out.set(0, out.get(0).mul(100));
              return null;
            }));
    assertThat(GRAPHS.forward(net, x).toFloatArray()).containsExactly(4, -4);
    handles.add(
        BlockHooks.registerForwardHook(
            first,
            (m, p, in, out) -> {
              out.set(0, out.get(0).mul(10));
              return out;
            }));
    assertThat(GRAPHS.forward(net, x).toFloatArray()).containsExactly(40, -40);
  }

  @Test
  void hooks_should_be_free_to_close_what_they_were_given() {
    List<Float> seen = new ArrayList<>();
    FullBackwardHook<Block, NDList> closing =
        (m, p, in, out) -> {
          seen.add(in.head().toFloatArray()[0] + out.head().toFloatArray()[0]);
          in.close();
          out.close();
          return null;
        };
    handles.add(BlockHooks.registerFullBackwardHook(first, closing));
    handles.add(BlockHooks.registerFullBackwardHook(first, closing));
    NDArray x = GRAPHS.x();
    NDArray h = GRAPHS.forward(first, x);
    for (int i = 0; i < 2; i++) {
      handles.add(
          BlockHooks.registerHook(
              h,
              g -> {
                seen.add(g.toFloatArray()[0]);
                g.close();
                return null;
              }));
    }
    backward(h);
    assertThat(x.getGradient().toFloatArray()).containsExactly(2, 2);
    assertThat(seen).containsExactly(1f, 1f, 3f, 3f);
  }

  @Test
  void backward_inside_a_backward_hook_should_run_the_hooks_of_its_own_graph() {
    Block inner = Nets.twice();
    List<String> events = new ArrayList<>();
    handles.add(
        BlockHooks.registerFullBackwardHook(
            inner,
            (m, p, in, out) -> {
              events.add("inner " + in.head().toFloatArray()[0]);
              return null;
            }));
    handles.add(
        BlockHooks.registerFullBackwardHook(
            first,
            (m, p, in, out) -> {
              JniUtils.setGradMode(true);
              NDArray again = GRAPHS.x();
              backward(GRAPHS.forward(inner, again));
              events.add("outer " + again.getGradient().toFloatArray()[0]);
              return null;
            }));
    assertThat(afterBackward(GRAPHS.x()).toFloatArray()).containsExactly(4, 4);
    assertThat(events).containsExactly("inner 2.0", "outer 2.0");
  }

  /** 2 · forward of itself, until a depth of 3 is reached. */
  private static final class Recursive extends AbstractBlock {
    private int depth;

    @Override
    protected NDList forwardInternal(
        ParameterStore store, NDList inputs, boolean training, PairList<String, Object> params) {
      if (++depth == 3) {
        return inputs;
      }
      return new NDList(forward(store, inputs, training).head().mul(2));
    }

    @Override
    public Shape[] getOutputShapes(Shape[] shapes) {
      return shapes;
    }
  }

  /** Overrides a forward that is woven too, and calls it. */
  private static final class Overriding extends AbstractBlock {
    @Override
    public NDList forward(
        ParameterStore store, NDList data, NDList labels, PairList<String, Object> params) {
      return super.forward(store, data, labels, params);
    }

    @Override
    protected NDList forwardInternal(
        ParameterStore store, NDList inputs, boolean training, PairList<String, Object> params) {
      return inputs;
    }

    @Override
    public Shape[] getOutputShapes(Shape[] shapes) {
      return shapes;
    }
  }

  @Test
  void hook_of_other_types_should_be_named() {
    ForwardHook<Block, String> text = (m, p, in, out) -> in.substring(1);
    handles.add(Hooks.registerForwardHook(first, text));
    assertThatThrownBy(() -> GRAPHS.forward(net, GRAPHS.x()))
        .isInstanceOf(ClassCastException.class)
        .hasMessageStartingWith("forward hook " + text.getClass().getName() + " of ")
        .hasMessageContaining("is declared with other types than it is called with");
    handles.remove(handles.size() - 1).remove();

    FullBackwardHook<Block, String> backward = (m, p, in, out) -> null;
    handles.add(Hooks.registerFullBackwardHook(first, backward));
    NDArray y = GRAPHS.forward(net, GRAPHS.x());
    assertThatThrownBy(() -> backward(y))
        .isInstanceOf(ClassCastException.class)
        .hasMessageStartingWith("full backward hook " + backward.getClass().getName() + " of ");
    handles.remove(handles.size() - 1).remove();

    NDArray x = GRAPHS.x();
    TensorHook<String> tensor = gradient -> null;
    handles.add(registerUntyped(x, tensor));
    NDArray again = GRAPHS.forward(net, x);
    assertThatThrownBy(() -> backward(again))
        .isInstanceOf(ClassCastException.class)
        .hasMessageStartingWith("tensor hook " + tensor.getClass().getName() + " of ");
  }

  @Test
  void cast_inside_a_hook_should_be_thrown_as_it_is() {
    ForwardHook<Block, NDList> own =
        (m, p, in, out) -> {
          Object path = p;
          return (NDList) path;
        };
    handles.add(Hooks.registerForwardHook(first, own));
    assertThatThrownBy(() -> GRAPHS.forward(net, GRAPHS.x()))
        .isInstanceOf(ClassCastException.class)
        .hasNoCause();
  }

  @SuppressWarnings({"unchecked", "rawtypes"})
  private static HookHandle registerUntyped(NDArray array, TensorHook hook) {
    return Hooks.registerHook(array, hook);
  }

  /** Runs of the engine in a backward of {@code depth} blocks, all with hooks of every kind. */
  private long engineRuns(int depth) {
    SequentialBlock deep = new SequentialBlock();
    List<HookHandle> ends = new ArrayList<>();
    for (int i = 0; i < depth; i++) {
      Block each = Nets.twice();
      deep.add(Nets.twice()).add(each);
      ends.add(
          Hooks.registerFullBackwardHook(
              each, (Block m, String p, NDList in, NDList out) -> new NDList(in.head().mul(1))));
    }
    NDArray x = GRAPHS.x();
    ends.add(Hooks.registerPostAccumulateGradHook(x, (NDArray leaf) -> {}));
    long before = HookedBackward.engineRuns();
    backward(GRAPHS.forward(deep, x));
    ends.forEach(HookHandle::remove);
    assertThat(x.getGradient().toFloatArray()[0]).isEqualTo((float) Math.pow(4, depth));
    return HookedBackward.engineRuns() - before;
  }

  @Test
  void engine_should_run_once_for_each_part_of_the_graph() {
    // one part before, inside and after each block; one more query for each place if x has its
    // gradient before all places are done, which is never so here
    assertThat(engineRuns(4)).isEqualTo(2 * 4 + 1);
    assertThat(engineRuns(32)).isEqualTo(2 * 32 + 1);
  }

  @Test
  void abandoned_forwards_should_add_no_run_of_the_engine() {
    handles.add(
        Hooks.registerFullBackwardHook(first, (Block m, String p, NDList in, NDList out) -> null));
    for (int i = 0; i < 50; i++) {
      GRAPHS.forward(net, GRAPHS.x());
    }
    NDArray x = GRAPHS.x();
    long before = HookedBackward.engineRuns();
    backward(GRAPHS.forward(net, x));
    assertThat(HookedBackward.engineRuns() - before).isEqualTo(3);
    assertThat(x.getGradient().toFloatArray()).containsExactly(4, 4);
  }

  @Test
  void manager_that_is_closed_before_the_backward_should_be_said() {
    handles.add(
        Hooks.registerFullBackwardHook(first, (Block m, String p, NDList in, NDList out) -> null));
    NDArray y;
    try (NDManager early = manager.newSubManager()) {
      NDArray x = early.create(new float[] {1, -1});
      x.setRequiresGradient(true);
      y = GRAPHS.forward(net, x);
      y.attach(manager);
    }
    assertThatThrownBy(() -> backward(y))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("closed before this backward");
    NDArray x = GRAPHS.x();
    backward(GRAPHS.forward(net, x));
    assertThat(x.getGradient().toFloatArray()).containsExactly(4, 4);
  }

  @Test
  void block_that_calls_its_own_forward_should_fire_its_hook_each_time() {
    List<Float> seen = new ArrayList<>();
    Block recursive = new Recursive();
    handles.add(BlockHooks.registerForwardHook(recursive, noting(seen)));
    assertThat(GRAPHS.forward(recursive, GRAPHS.x()).toFloatArray()).containsExactly(4, -4);
    assertThat(seen).containsExactly(1f, 2f, 4f);
  }

  private static ForwardHook<Block, NDList> noting(List<Float> seen) {
    return (m, p, in, out) -> {
      seen.add(out.head().toFloatArray()[0]);
      return null;
    };
  }

  @Test
  void forward_that_calls_the_one_it_overrides_should_be_one_call() {
    List<Float> seen = new ArrayList<>();
    Block overriding = new Overriding();
    handles.add(BlockHooks.registerForwardHook(overriding, noting(seen)));
    NDList x = new NDList(GRAPHS.x());
    overriding.forward(new ParameterStore(manager, false), x, new NDList(), null);
    assertThat(seen).containsExactly(1f);
  }

  @Test
  void null_modules_hooks_and_tensors_should_be_refused_when_registered() {
    Block missing = net.getChildren().toMap().get("misspelt");
    ForwardHook<Block, NDList> hook = (m, p, in, out) -> null;
    assertThatThrownBy(() -> BlockHooks.registerForwardHook(missing, hook))
        .isInstanceOf(NullPointerException.class)
        .hasMessageStartingWith("a forward hook needs a module, found null: a child that");
    assertThatThrownBy(() -> BlockHooks.registerFullBackwardHook(first, null))
        .isInstanceOf(NullPointerException.class)
        .hasMessage("a full backward hook was to be registered, but the hook is null");
    assertThatThrownBy(() -> Hooks.registerForwardHook(net, (String) null, hook))
        .isInstanceOf(NullPointerException.class)
        .hasMessageContaining("'**' for every layer");
    assertThatThrownBy(() -> Hooks.registerForwardHookForAllModules(null))
        .isInstanceOf(NullPointerException.class);
    assertThatThrownBy(() -> BlockHooks.registerHook(null, g -> g))
        .isInstanceOf(NullPointerException.class)
        .hasMessageContaining("needs a tensor, found null");
  }

  @Test
  void options_that_a_kind_does_not_have_should_be_refused() {
    assertThatThrownBy(
            () ->
                BlockHooks.registerForwardPreHook(first, (m, p, in) -> null, HookOptions.always()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("a forward pre hook cannot be called always");
  }

  @Test
  void model_where_a_block_is_meant_should_be_refused_with_what_to_do() {
    try (Model model = Nets.mlp("net")) {
      ForwardHook<Object, NDList> hook = (m, p, in, out) -> null;
      assertThatThrownBy(() -> Hooks.registerForwardHook(model, hook))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("found the model net: give model.getBlock()");
    }
  }

  @Test
  void handle_should_say_what_it_is() {
    HookHandle handle = BlockHooks.registerForwardHook(first, (m, p, in, out) -> null);
    assertThat(handle.toString()).startsWith("forward hook ").contains("of LambdaBlock@");
    handle.remove();
    assertThat(handle.toString()).endsWith(", removed");
  }

  /** Two kinds of hook in one object. */
  private static final class Both
      implements ForwardHook<Block, NDList>, FullBackwardHook<Block, NDList> {
    final List<String> seen = new ArrayList<>();

    @Override
    public @Nullable NDList afterForward(
        Block block, String path, NDList inputs, @Nullable NDList outputs) {
      seen.add("forward " + outputs.head().toFloatArray()[0]);
      return null;
    }

    @Override
    public @Nullable NDList afterBackward(
        Block block, String path, NDList gradInputs, NDList gradOutputs) {
      seen.add("backward " + gradInputs.head().toFloatArray()[0]);
      return null;
    }
  }

  @Test
  void object_of_several_kinds_should_be_registered_as_each() {
    Both both = new Both();
    HookHandle handle = BlockHooks.register(net, "*LambdaBlock", both, HookOptions.always());
    assertThat(handle.toString())
        .contains("forward hook", " and full backward hook", "2 layers '*LambdaBlock'");
    backward(GRAPHS.forward(net, GRAPHS.x()));
    assertThat(both.seen)
        .containsExactly("forward 2.0", "forward 4.0", "backward 2.0", "backward 4.0");
    handle.remove();
    backward(GRAPHS.forward(net, GRAPHS.x()));
    assertThat(both.seen).hasSize(4);
  }

  @Test
  void object_of_no_kind_should_be_refused_with_the_kinds_there_are() {
    assertThatThrownBy(() -> BlockHooks.register(first, "a hook", HookOptions.DEFAULT))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "expected a hook that implements io.camhook.ForwardPreHook,"
                + " ForwardPreHookWithParams, ForwardHook, ForwardHookWithParams,"
                + " FullBackwardPreHook or FullBackwardHook, found java.lang.String");
    HookOptions always = HookOptions.always();
    assertThatThrownBy(() -> BlockHooks.register(first, backwardOnly(), always))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("a full backward hook cannot be called always");
  }

  private static FullBackwardHook<Block, NDList> backwardOnly() {
    return (m, p, in, out) -> null;
  }
}
