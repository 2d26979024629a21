package io.camhook.benchmarks;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.Block;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.core.Linear;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.JniUtils;
import ai.djl.training.ParameterStore;
import io.camhook.FullBackwardHook;
import io.camhook.HookHandle;
import io.camhook.Hooks;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What a hook adds to a backward, in networks of Linear(64) and ReLU. The budget is a part of a
 * plain backward of depth 10, whatever the depth, so the cost is linear in the number of hooks. All
 * sides are measured in turn in one run, after the JIT has compiled what a training runs thousands
 * of times; the median counts. Time is the calling thread's on the processor, where the engine
 * runs, so that other processes do not count; run it with {@code OMP_NUM_THREADS=1}.
 */
final class HookCost {
  private static final double BUDGET = 0.2;
  private static final int WIDTH = 64;
  private static final int ROUNDS = Integer.getInteger("rounds", 40);
  private static final int WARM_UP = Integer.getInteger("warmup", 150); // rounds of depth 10
  private static final int BLOCK = 10; // backwards of one side in a row, as in a training
  private static final int ABANDONED = Integer.getInteger("abandoned", 2_000);

  private static final ThreadMXBean CLOCK = ManagementFactory.getThreadMXBean();

  /** What is measured: a backward with the hooks that are registered, or one with cuts by hand. */
  private record Side(Function<HookCost, List<HookHandle>> hooks, @Nullable ByHand byHand) {
    static Side of(Function<HookCost, List<HookHandle>> hooks) {
      return new Side(hooks, null);
    }

    static Side byHand(boolean each, boolean replacing) {
      return new Side(net -> List.of(), new ByHand(each, replacing));
    }
  }

  /**
   * See {@link #backwardByHand}.
   *
   * @param each whether the graph is cut around each ReLU, not around one
   * @param replacing whether the gradient at the ReLU's input is multiplied
   */
  private record ByHand(boolean each, boolean replacing) {}

  private final int depth;
  private final NDManager parent = NDManager.newBaseManager("PyTorch");
  private final SequentialBlock net = new SequentialBlock();
  private final List<Block> relus = new ArrayList<>();

  private HookCost(int depth) {
    this.depth = depth;
    for (int i = 0; i < depth; i++) {
      Block relu = Activation.reluBlock();
      relus.add(relu);
      net.add(Linear.builder().setUnits(WIDTH).build()).add(relu);
    }
    net.initialize(parent, DataType.FLOAT32, new Shape(1, WIDTH));
  }

  public static void main(String[] arguments) {
    System.setProperty("camhook.selfAttach", "true");
    System.setProperty("camhook.agentJar", System.getProperty("camhook.agent.jar"));
    Hooks.requireAgent();
    Engine.getEngine("PyTorch"); // loads the native library, whose grad mode is set next
    measure();
  }

  static void measure() {
    JniUtils.setGradMode(true);
    double unit = 0;
    for (int depth : new int[] {10, 40, 160}) {
      HookCost cost = new HookCost(depth);
      FullBackwardHook<Block, NDList> observe = (m, p, in, out) -> null;
      FullBackwardHook<Block, NDList> replace = (m, p, in, out) -> new NDList(in.head().mul(1f));
      double[] medians =
          cost.medians(
              List.of(
                  Side.of(net -> List.of()),
                  Side.of(
                      net ->
                          List.of(
                              Hooks.registerFullBackwardHook(cost.relus.get(depth / 2), observe))),
                  Side.of(net -> cost.atEachRelu(observe)),
                  Side.of(net -> cost.atEachRelu(replace)),
                  Side.of(net -> List.of(cost.afterAccumulation())),
                  Side.byHand(false, false),
                  Side.byHand(true, false),
                  Side.byHand(true, true)));
      unit = depth == 10 ? medians[0] : unit;
      say(depth, "observing at one ReLU", medians[1] - medians[0], 1, unit);
      say(depth, "observing at each ReLU", medians[2] - medians[0], depth, unit);
      say(depth, "replacing at each ReLU", medians[3] - medians[0], depth, unit);
      say(depth, "post-accumulate on one parameter", medians[4] - medians[0], 1, unit);
      System.out.printf(
          Locale.ROOT,
          "depth %d, the same cuts by hand, without camhook: %.3f at one ReLU, %.3f at each, %.3f"
              + " at each and replaced, of a plain backward of depth 10 a ReLU%n",
          depth,
          (medians[5] - medians[0]) / unit,
          (medians[6] - medians[0]) / depth / unit,
          (medians[7] - medians[0]) / depth / unit);
      System.out.printf(
          Locale.ROOT,
          "depth %d, ms a backward: plain %.3f, one %.3f, each %.3f, replacing %.3f, post %.3f%n",
          depth,
          medians[0],
          medians[1],
          medians[2],
          medians[3],
          medians[4]);
      cost.parent.close();
    }
    abandoned(unit);
  }

  /**
   * @param unit milliseconds of a plain backward of depth 10, from the same rounds
   */
  private static void say(int depth, String what, double added, int hooks, double unit) {
    double each = added / hooks / unit;
    System.out.printf(
        Locale.ROOT,
        "depth %d, %s: %.3f of a plain backward of depth 10 a hook, budget %.1f: %s%n",
        depth,
        what,
        each,
        BUDGET,
        each <= BUDGET ? "met" : "MISSED");
  }

  private List<HookHandle> atEachRelu(FullBackwardHook<Block, NDList> hook) {
    List<HookHandle> handles = new ArrayList<>();
    relus.forEach(relu -> handles.add(Hooks.registerFullBackwardHook(relu, hook)));
    return handles;
  }

  private HookHandle afterAccumulation() {
    NDArray weight = net.getParameters().valueAt(0).getArray();
    return Hooks.registerPostAccumulateGradHook(weight, (NDArray leaf) -> {});
  }

  /** The milliseconds of a backward with each set of hooks. */
  private double[] medians(List<Side> sides) {
    double[][] times = new double[sides.size()][ROUNDS * BLOCK];
    int warmUp = Math.max(2, WARM_UP * 10 / depth);
    for (int round = -warmUp; round < ROUNDS; round++) {
      for (int side = 0; side < sides.size(); side++) {
        List<HookHandle> handles = sides.get(side).hooks().apply(this);
        ByHand byHand = sides.get(side).byHand();
        for (int i = 0; i < BLOCK; i++) {
          double time = byHand == null ? backward(parent) : backwardByHand(parent, byHand);
          if (round >= 0) {
            times[side][round * BLOCK + i] = time;
          }
        }
        handles.forEach(HookHandle::remove);
      }
    }
    return Arrays.stream(times).mapToDouble(HookCost::median).toArray();
  }

  private static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    return sorted[sorted.length / 2];
  }

  private double backward(NDManager manager) {
    try (NDManager scope = manager.newSubManager()) {
      NDArray loss = forward(scope).sum();
      NDArray one = scope.ones(loss.getShape());
      long begin = CLOCK.getCurrentThreadCpuTime();
      JniUtils.backward((PtNDArray) loss, (PtNDArray) one, false, false);
      return (CLOCK.getCurrentThreadCpuTime() - begin) / 1e6;
    }
  }

  /**
   * The lower bound for observing each ReLU: the engine has no callbacks during a backward, so to
   * get the gradients at a module's outputs and inputs one must cut the graph there and run the
   * engine again for each cut. Nothing is copied, guarded or accounted for here.
   */
  private double backwardByHand(NDManager manager, ByHand how) {
    try (NDManager scope = manager.newSubManager()) {
      List<NDArray> ends = new ArrayList<>();
      List<NDArray> leaves = new ArrayList<>();
      NDArray x = scope.ones(new Shape(4, WIDTH));
      for (Block block : net.getChildren().values()) {
        boolean cut = how.each() ? relus.contains(block) : block == relus.get(depth / 2);
        NDArray in = cut ? leafAfter(x, ends, leaves) : x;
        NDArray out = block.forward(new ParameterStore(scope, false), new NDList(in), true).head();
        x = cut ? leafAfter(out, ends, leaves) : out;
      }
      NDArray loss = x.sum();
      NDArray one = scope.ones(loss.getShape());
      long begin = CLOCK.getCurrentThreadCpuTime();
      JniUtils.backward((PtNDArray) loss, (PtNDArray) one, true, false);
      for (int i = ends.size() - 1; i >= 0; i--) {
        PtNDArray gradient = JniUtils.getGradient((PtNDArray) leaves.get(i));
        if (how.replacing() && i % 2 == 0) { // at the ReLU's input
          gradient = (PtNDArray) gradient.mul(1f);
        }
        JniUtils.backward((PtNDArray) ends.get(i), gradient, true, false);
      }
      return (CLOCK.getCurrentThreadCpuTime() - begin) / 1e6;
    }
  }

  private static NDArray leafAfter(NDArray end, List<NDArray> ends, List<NDArray> leaves) {
    PtNDArray leaf = JniUtils.detachGradient((PtNDArray) end);
    JniUtils.attachGradient(leaf, true);
    ends.add(end);
    leaves.add(leaf);
    return leaf;
  }

  private NDArray forward(NDManager scope) {
    NDArray x = scope.ones(new Shape(4, WIDTH));
    return net.forward(new ParameterStore(scope, false), new NDList(x), true).head();
  }

  /** Forwards without a backward, under one manager that stays open. */
  private static void abandoned(double unit) {
    HookCost cost = new HookCost(10);
    FullBackwardHook<Block, NDList> observe = (m, p, in, out) -> null;
    try (HookHandle handle = Hooks.registerFullBackwardHook(cost.relus.get(5), observe);
        NDManager open = cost.parent.newSubManager()) {
      double before = cost.medians(List.of(Side.of(net -> List.of())))[0];
      for (int i = 0; i < ABANDONED; i++) {
        cost.forward(open);
      }
      double after = cost.medians(List.of(Side.of(net -> List.of())))[0];
      System.out.printf(
          Locale.ROOT,
          "a backward after %d abandoned forwards: %.3f of one before, %.3f plain ones more%n",
          ABANDONED,
          after / before,
          (after - before) / unit);
    }
    cost.parent.close();
  }
}
