package io.camhook.agent.weave;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.AbstractBlock;
import ai.djl.nn.Block;
import ai.djl.nn.Blocks;
import ai.djl.nn.LambdaBlock;
import ai.djl.nn.ParallelBlock;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.core.Linear;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.JniUtils;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.EasyTrain;
import ai.djl.training.ParameterStore;
import ai.djl.training.Trainer;
import ai.djl.training.dataset.ArrayDataset;
import ai.djl.training.loss.Loss;
import ai.djl.training.optimizer.Optimizer;
import ai.djl.training.tracker.Tracker;
import ai.djl.util.PairList;
import app.DirectBlock;
import io.camhook.ForwardHookWithParams;
import io.camhook.HookHandle;
import io.camhook.HookOptions;
import io.camhook.Hooks;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Hooks wherever DJL calls blocks. The numbers are worked out by hand from {@code first} (x = [1,
 * -1], weight [[1, 2], [3, 4]], bias [0.5, -0.5], hence [-0.5, -1.5]) and {@code second} (weight
 * [[1, -2]], bias [0.25]).
 */
class HookPlacesTest {
  @RegisterExtension static final HookedGraphs GRAPHS = new HookedGraphs();

  private final NDManager manager = GRAPHS.manager();
  private final List<HookHandle> handles = GRAPHS.handles();
  private final List<String> events = new ArrayList<>();

  @Test
  void nested_containers_should_be_modules_like_any_other() {
    SequentialBlock net =
        new SequentialBlock()
            .add(new SequentialBlock().add(first()).add(Nets.twice()))
            .add(second());
    watch(net, "**");
    backward(forward(net, x()));
    // first [-0.5, -1.5], twice [-1, -3], second -1 + 6 + 0.25 = 5.25; d/d twice = [1, -2],
    // d/d first = [2, -4], d/dx = [2 - 12, 4 - 16]
    assertThat(events)
        .containsExactly(
            "01SequentialBlock.01Linear [1.0, -1.0] -> [-0.5, -1.5]",
            "01SequentialBlock.02LambdaBlock [-0.5, -1.5] -> [-1.0, -3.0]",
            "01SequentialBlock [1.0, -1.0] -> [-1.0, -3.0]",
            "02Linear [-1.0, -3.0] -> [5.25]",
            ". [1.0, -1.0] -> [5.25]",
            "02Linear [1.0] => [1.0, -2.0]",
            "01SequentialBlock.02LambdaBlock [1.0, -2.0] => [2.0, -4.0]",
            "01SequentialBlock.01Linear [2.0, -4.0] => [-10.0, -12.0]",
            "01SequentialBlock [1.0, -2.0] => [-10.0, -12.0]",
            ". [1.0] => [-10.0, -12.0]");
  }

  /** The container returns what its last module returns; the hook's tensor is in between. */
  @Test
  void tensor_hook_between_the_cuts_of_two_modules_should_run() {
    SequentialBlock net = new SequentialBlock().add(first()).add(second());
    watch(net, "**");
    handles.add(
        Hooks.registerForwardHook(
            (Block) net,
            (Block module, String path, NDList inputs, NDList outputs) -> {
              Hooks.registerHook(
                  outputs.head(),
                  (NDArray gradient) -> {
                    events.add("tensor " + Arrays.toString(gradient.toFloatArray()));
                    return gradient.mul(3);
                  });
              return null;
            }));
    NDArray y = forward(net, x());
    events.clear();
    backward(y);
    // second's weight [1, -2] times 3; first's weight transposed times [3, -6] is [-15, -18]
    assertThat(events)
        .containsExactly(
            "tensor [1.0]",
            "02Linear [3.0] => [3.0, -6.0]",
            "01Linear [3.0, -6.0] => [-15.0, -18.0]",
            ". [1.0] => [-15.0, -18.0]");
  }

  @Test
  void gradients_of_a_residual_and_its_branch_should_add_up() {
    Block branch = first();
    ParallelBlock net =
        new ParallelBlock(
            lists -> new NDList(lists.get(0).head().add(lists.get(1).head())),
            List.of(Blocks.identityBlock(), branch));
    watch(net, "**");
    NDArray x = x();
    backward(forward(net, x));
    // the branch gives W'·[1, 1] = [4, 6], the identity [1, 1]
    assertThat(events)
        .contains(
            "02Linear [1.0, 1.0] => [4.0, 6.0]",
            "01LambdaBlock [1.0, 1.0] => [1.0, 1.0]",
            ". [1.0, 1.0] => [5.0, 7.0]");
    assertThat(x.getGradient().toFloatArray()).containsExactly(5, 7);
  }

  @Test
  void replaced_gradient_should_change_what_lies_before_it_and_nothing_else() {
    Block branch = first();
    ParallelBlock net =
        new ParallelBlock(
            lists -> new NDList(lists.get(0).head().add(lists.get(1).head())),
            List.of(Blocks.identityBlock(), branch));
    handles.add(
        Hooks.registerFullBackwardHook(
            branch, (Block m, String p, NDList in, NDList out) -> new NDList(in.head().mul(10f))));
    watch(net, "01*");
    NDArray x = x();
    backward(forward(net, x));
    // 10·[4, 6] through the branch, [1, 1] past it; the branch's own weight as without the hook:
    // the gradient of its output [1, 1] times x
    assertThat(x.getGradient().toFloatArray()).containsExactly(41, 61);
    assertThat(events).contains("01LambdaBlock [1.0, 1.0] => [1.0, 1.0]");
    assertThat(weight(branch).getGradient().toFloatArray()).containsExactly(1, -1, 1, -1);
  }

  @Test
  void block_used_twice_should_be_seen_per_call_and_backward_in_reverse() {
    Block shared = first();
    SequentialBlock net = new SequentialBlock().add(shared).add(shared);
    watch(net, "01Linear");
    backward(forward(net, x()));
    // W·[-0.5, -1.5] + b = [-3, -8]; W'·[1, 1] = [4, 6]; W'·[4, 6] = [22, 32]
    assertThat(events)
        .containsExactly(
            "01Linear [1.0, -1.0] -> [-0.5, -1.5]",
            "01Linear [-0.5, -1.5] -> [-3.0, -8.0]",
            "01Linear [1.0, 1.0] => [4.0, 6.0]",
            "01Linear [4.0, 6.0] => [22.0, 32.0]");
  }

  @Test
  void block_with_several_inputs_and_outputs_should_have_a_gradient_for_each() {
    Block net =
        new LambdaBlock(
            list -> {
              NDArray a = list.get(0);
              NDArray b = list.get(1);
              return new NDList(a.mul(b), a.add(b));
            });
    watch(net, ".");
    handles.add(
        Hooks.registerFullBackwardHook(
            net,
            (Block m, String p, NDList in, NDList out) ->
                new NDList(in.get(0), in.get(1).mul(0f))));
    NDArray a = leaf(2);
    NDArray b = leaf(5);
    NDList out =
        net.forward(new ParameterStore(manager, false), new NDList(a, b), false); // 10 and 7
    backward(Nets.times(out.get(0), 3).add(out.get(1)));
    // d/da = 3·5 + 1, d/db = 3·2 + 1, which the second hook makes 0
    assertThat(events)
        .containsExactly(". [2.0] [5.0] -> [10.0] [7.0]", ". [3.0] [1.0] => [16.0] [7.0]");
    assertThat(a.getGradient().toFloatArray()).containsExactly(16);
    assertThat(b.getGradient().toFloatArray()).containsExactly(0);
  }

  @Test
  void block_that_implements_the_interface_itself_should_be_seen_once_per_call() {
    DirectBlock direct = new DirectBlock(Blocks.identityBlock());
    SequentialBlock net = new SequentialBlock().add(direct).add(Nets.twice());
    watch(net, "**");
    NDArray x = x();
    backward(forward(net, x));
    assertThat(events)
        .containsExactly(
            "01DirectBlock [1.0, -1.0] -> [3.0, -3.0]",
            "02LambdaBlock [3.0, -3.0] -> [6.0, -6.0]",
            ". [1.0, -1.0] -> [6.0, -6.0]",
            "02LambdaBlock [1.0, 1.0] => [2.0, 2.0]",
            "01DirectBlock [2.0, 2.0] => [6.0, 6.0]",
            ". [1.0, 1.0] => [6.0, 6.0]");
    events.clear();
    // its labels variant is the interface's default, which calls the other one
    direct.forward(new ParameterStore(manager, false), new NDList(x), new NDList(x), null);
    assertThat(events).containsExactly(". [1.0, -1.0] -> [3.0, -3.0]");
  }

  @Test
  void labels_variant_of_forward_should_be_seen_once_with_the_data_and_the_params() {
    SequentialBlock net = new SequentialBlock().add(first()).add(new Shifted());
    watch(net, "**");
    PairList<String, Object> given = new PairList<>();
    given.add("epoch", 3);
    ForwardHookWithParams<Block, NDList, PairList<String, Object>> withParams =
        (m, p, in, params, out) -> {
          events.add(params.toString());
          return null;
        };
    handles.add(Hooks.registerForwardHookWithParams(net, withParams, HookOptions.DEFAULT));
    NDArray labels = manager.create(new float[] {10, 20}, new Shape(1, 2));
    NDList out =
        net.forward(new ParameterStore(manager, false), new NDList(x()), new NDList(labels), given);
    backward(out.head());
    assertThat(events)
        .containsExactly(
            "01Linear [1.0, -1.0] -> [-0.5, -1.5]",
            "02Shifted [-0.5, -1.5] -> [9.5, 18.5]",
            ". [1.0, -1.0] -> [9.5, 18.5]",
            given.toString(),
            "02Shifted [1.0, 1.0] => [1.0, 1.0]",
            "01Linear [1.0, 1.0] => [4.0, 6.0]",
            ". [1.0, 1.0] => [4.0, 6.0]");
  }

  /** Adds the labels, where there are some. */
  private static final class Shifted extends AbstractBlock {
    @Override
    protected NDList forwardInternal(
        ParameterStore store, NDList in, boolean training, PairList<String, Object> params) {
      return new NDList(in.head().duplicate());
    }

    @Override
    protected NDList forwardInternal(
        ParameterStore store, NDList data, NDList labels, PairList<String, Object> params) {
      return new NDList(data.head().add(labels.head()));
    }

    @Override
    public Shape[] getOutputShapes(Shape[] shapes) {
      return shapes;
    }
  }

  @Test
  void easy_train_should_run_forward_and_backward_hooks_in_every_step() throws Exception {
    Block second = second();
    SequentialBlock net = new SequentialBlock().add(first()).add(second);
    try (Model model = Model.newInstance("net", "PyTorch")) {
      model.setBlock(net);
      DefaultTrainingConfig config =
          new DefaultTrainingConfig(Loss.l2Loss())
              .optOptimizer(Optimizer.sgd().setLearningRateTracker(Tracker.fixed(0.125f)).build());
      ArrayDataset data =
          new ArrayDataset.Builder()
              .setData(manager.create(new float[] {1, -1, 1, -1}, new Shape(2, 2)))
              .optLabels(manager.create(new float[] {0.75f, 0.75f}, new Shape(2, 1)))
              .setSampling(1, false)
              .build();
      try (Trainer trainer = model.newTrainer(config)) {
        trainer.initialize(new Shape(1, 2));
        watch(net, "02Linear");
        handles.add(
            Hooks.registerFullBackwardHook(
                second,
                // so that only the second layer learns
                (Block m, String p, NDList in, NDList out) -> new NDList(in.head().mul(0f))));
        EasyTrain.fit(trainer, 1, data, null);
      }
      // L = (y - 0.75)²/2, dL/dy = y - 0.75.
      // Step 1: y = 2.75, dL/dy = 2, to the input 2·[1, -2]; weight -= 2·[-0.5, -1.5]/8, so
      // [1.125, -1.625]; bias 0.25 - 2/8 = 0.
      // Step 2: y = -0.5·1.125 + 1.5·1.625 = 1.875, dL/dy = 1.125, to the input [1.265625,
      // -1.828125]; bias 0 - 1.125/8.
      assertThat(events)
          .containsExactly(
              "02Linear [-0.5, -1.5] -> [2.75]",
              "02Linear [2.0] => [2.0, -4.0]",
              "02Linear [-0.5, -1.5] -> [1.875]",
              "02Linear [1.125] => [1.265625, -1.828125]");
      assertThat(second.getDirectParameters().get("bias").getArray().toFloatArray())
          .containsExactly(-0.140625f);
    }
  }

  /** Notes what forward and backward hooks see of the blocks that {@code layers} means. */
  private void watch(Block net, String layers) {
    handles.add(
        Hooks.registerForwardHook(
            net,
            layers,
            (Block m, String path, NDList in, NDList out) -> {
              events.add(path + text(in) + " ->" + text(out));
              return null;
            }));
    handles.add(
        Hooks.registerFullBackwardHook(
            net,
            layers,
            (Block m, String path, NDList in, NDList out) -> {
              events.add(path + text(out) + " =>" + text(in));
              return null;
            }));
  }

  private static String text(NDList list) {
    StringBuilder text = new StringBuilder();
    list.forEach(
        array ->
            text.append(' ').append(array == null ? "-" : Arrays.toString(array.toFloatArray())));
    return text.toString();
  }

  private NDArray forward(Block net, NDArray x) {
    return net.forward(new ParameterStore(manager, false), new NDList(x), false).head();
  }

  private static void backward(NDArray y) {
    NDArray loss = y.sum();
    JniUtils.backward((PtNDArray) loss, (PtNDArray) loss.onesLike(), false, false);
  }

  private NDArray x() {
    NDArray x = manager.create(new float[] {1, -1}, new Shape(1, 2));
    x.setRequiresGradient(true);
    return x;
  }

  private NDArray leaf(float value) {
    NDArray leaf = manager.create(new float[] {value});
    leaf.setRequiresGradient(true);
    return leaf;
  }

  private Block first() {
    return linear(2, new float[] {1, 2, 3, 4}, 0.5f, -0.5f);
  }

  private Block second() {
    return linear(1, new float[] {1, -2}, 0.25f);
  }

  private Block linear(int units, float[] weight, float... bias) {
    Block block = Linear.builder().setUnits(units).build();
    block.initialize(manager, DataType.FLOAT32, new Shape(1, 2));
    weight(block).set(weight);
    weight(block).setRequiresGradient(true);
    NDArray b = block.getDirectParameters().get("bias").getArray();
    b.set(bias);
    b.setRequiresGradient(true);
    return block;
  }

  private static NDArray weight(Block block) {
    return block.getDirectParameters().get("weight").getArray();
  }
}
