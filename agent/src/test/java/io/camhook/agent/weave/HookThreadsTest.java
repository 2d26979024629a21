package io.camhook.agent.weave;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Model;
import ai.djl.inference.Predictor;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.LambdaBlock;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.JniUtils;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import ai.djl.training.Trainer;
import ai.djl.training.loss.Loss;
import ai.djl.training.optimizer.Optimizer;
import ai.djl.training.tracker.Tracker;
import io.camhook.HookHandle;
import io.camhook.Hooks;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Hooks with several threads; grad mode is the thread's own, and on in new ones. */
class HookThreadsTest {
  @RegisterExtension static final HookedGraphs GRAPHS = new HookedGraphs();

  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final NDManager manager = GRAPHS.manager();

  @AfterEach
  void close() {
    threads.shutdown();
  }

  @Test
  void backward_on_another_thread_should_run_the_hooks_of_the_forward() throws Exception {
    Block net = times(3);
    Block other = times(5);
    List<String> events = new ArrayList<>();
    try (HookHandle onNet = note(net, "net", events);
        HookHandle onOther = note(other, "other", events)) {
      NDArray x = leaf();
      NDArray loss = threads.submit(() -> forward(net, x).sum()).get();
      NDArray y = leaf();
      threads
          .submit(
              () -> {
                forward(other, y); // a graph of this thread, which is not asked for
                backward(loss);
                return null;
              })
          .get();
      assertThat(events).containsExactly("net [1.0, 1.0] => [3.0, 3.0]");
      assertThat(x.getGradient().toFloatArray()).containsExactly(3, 3);
    }
  }

  @Test
  void graph_that_two_threads_made_should_be_run_as_a_whole() throws Exception {
    Block first = times(3);
    Block second = times(5);
    List<String> events = new ArrayList<>();
    try (HookHandle onFirst = note(first, "first", events);
        HookHandle onSecond = note(second, "second", events)) {
      NDArray x = leaf();
      NDArray h = threads.submit(() -> forward(first, x)).get();
      NDArray loss = threads.submit(() -> forward(second, h).sum()).get();
      threads
          .submit(
              () -> {
                backward(loss);
                return null;
              })
          .get();
      assertThat(events)
          .containsExactly("second [1.0, 1.0] => [5.0, 5.0]", "first [5.0, 5.0] => [15.0, 15.0]");
      assertThat(x.getGradient().toFloatArray()).containsExactly(15, 15);
    }
  }

  @Test
  void threads_predicting_with_hooks_should_get_what_they_get_without() throws Exception {
    try (Model model = Nets.mlp("net")) {
      byte[][] plain = predictions(model);
      AtomicInteger calls = new AtomicInteger();
      Set<String> paths = ConcurrentHashMap.newKeySet();
      try (HookHandle forward =
          Hooks.registerForwardHook(
              model,
              "**",
              (Block m, String p, NDList in, NDList out) -> {
                calls.incrementAndGet();
                paths.add(p);
                return null;
              })) {
        byte[][] hooked = predictions(model);
        assertThat(Arrays.deepEquals(hooked, plain)).isTrue();
      }
      assertThat(calls).hasValue(4 * 50 * 6); // threads, pictures, modules
      assertThat(paths).hasSize(6);
    }
  }

  /** The outputs of 50 pictures in each of four threads. */
  private byte[][] predictions(Model model) throws Exception {
    List<Future<byte[][]>> running = new ArrayList<>();
    for (int t = 0; t < 4; t++) {
      int thread = t;
      running.add(
          threads.submit(
              () -> {
                byte[][] outputs = new byte[50][];
                try (NDManager scratch = NDManager.newBaseManager("PyTorch");
                    Predictor<NDList, NDList> predictor = model.newPredictor(Nets.unbatched())) {
                  for (int i = 0; i < outputs.length; i++) {
                    NDArray x = Nets.input(scratch, 1, 64).add(thread + i / 10f);
                    outputs[i] = Nets.bytes(predictor.predict(new NDList(x)));
                  }
                }
                return outputs;
              }));
    }
    List<byte[]> all = new ArrayList<>();
    for (Future<byte[][]> each : running) {
      all.addAll(List.of(each.get()));
    }
    return all.toArray(new byte[0][]);
  }

  @Test
  void training_in_one_thread_should_leave_another_threads_predictions_as_they_are()
      throws Exception {
    try (Model model = Nets.mlp("net")) {
      byte[] plain;
      NDArray picture = Nets.input(manager, 1, 64);
      try (Predictor<NDList, NDList> predictor = model.newPredictor(Nets.unbatched())) {
        plain = Nets.bytes(predictor.predict(new NDList(picture)));
      }
      Set<String> gradients = ConcurrentHashMap.newKeySet();
      try (HookHandle backward =
              Hooks.registerFullBackwardHook(
                  model,
                  "05Linear",
                  (Block m, String p, NDList in, NDList out) -> {
                    gradients.add(Arrays.toString(out.head().toFloatArray()));
                    return null;
                  });
          HookHandle forward =
              Hooks.registerForwardHook(
                  model, "**", (Block m, String p, NDList in, NDList out) -> null)) {
        AtomicBoolean stop = new AtomicBoolean();
        Callable<Integer> predicting =
            () -> {
              int same = 0;
              try (Predictor<NDList, NDList> predictor = model.newPredictor(Nets.unbatched())) {
                do {
                  byte[] again = Nets.bytes(predictor.predict(new NDList(picture)));
                  assertThat(Arrays.equals(again, plain)).isTrue();
                  same++;
                } while (!stop.get());
              }
              return same;
            };
        Future<Integer> predictions = threads.submit(predicting);
        try {
          train(model, 50);
        } finally {
          stop.set(true);
        }
        assertThat(predictions.get()).isPositive();
      }
      // The learning rate is 0: every step has the same gradients, whatever the other thread does.
      assertThat(gradients).hasSize(1);
    }
  }

  private static void train(Model model, int steps) {
    DefaultTrainingConfig config =
        new DefaultTrainingConfig(Loss.softmaxCrossEntropyLoss())
            .optOptimizer(Optimizer.sgd().setLearningRateTracker(Tracker.fixed(0f)).build());
    try (Trainer trainer = model.newTrainer(config)) {
      trainer.initialize(new Shape(2, 64));
      for (int step = 0; step < steps; step++) {
        try (NDManager batch = trainer.getManager().newSubManager();
            GradientCollector collector = trainer.newGradientCollector()) {
          NDArray x = Nets.input(batch, 2, 64);
          NDArray labels = batch.create(new float[] {0, 1}, new Shape(2, 1));
          NDList y = trainer.forward(new NDList(x));
          collector.backward(trainer.getLoss().evaluate(new NDList(labels), y));
          trainer.step();
        }
      }
    }
  }

  @Test
  void refused_backward_should_leave_the_thread_as_it_was() {
    Block net = times(3);
    boolean mode = JniUtils.isGradMode();
    JniUtils.setGradMode(true);
    try (HookHandle handle = note(net, "net", new ArrayList<>())) {
      NDArray x = leaf();
      NDArray loss = forward(net, x).sum();
      assertThatThrownBy(
              () -> JniUtils.backward((PtNDArray) loss, (PtNDArray) loss.onesLike(), false, true))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("createGraph=true")
          .hasMessageContaining("block . (LambdaBlock)");
      assertThat(JniUtils.isGradMode()).isTrue();
      backward(loss); // the first derivative is still available
      assertThat(x.getGradient().toFloatArray()).containsExactly(3, 3);
    } finally {
      JniUtils.setGradMode(mode);
    }
  }

  private static HookHandle note(Block block, String name, List<String> events) {
    return Hooks.registerFullBackwardHook(
        block,
        (Block m, String p, NDList in, NDList out) -> {
          events.add(name + " " + text(out) + " => " + text(in));
          return null;
        });
  }

  private static String text(NDList list) {
    return Arrays.toString(list.head().toFloatArray());
  }

  private NDArray leaf() {
    NDArray x = manager.create(new float[] {1, 2});
    x.setRequiresGradient(true);
    return x;
  }

  private static Block times(float factor) {
    return new LambdaBlock(list -> new NDList(Nets.times(list.head(), factor)));
  }

  private NDArray forward(Block block, NDArray x) {
    return block.forward(new ParameterStore(manager, false), new NDList(x), false).head();
  }

  private static void backward(NDArray loss) {
    JniUtils.backward((PtNDArray) loss, (PtNDArray) loss.onesLike(), false, false);
  }
}
