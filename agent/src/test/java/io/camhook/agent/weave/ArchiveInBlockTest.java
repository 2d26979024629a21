package io.camhook.agent.weave;

import static java.nio.file.StandardCopyOption.REPLACE_EXISTING;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Model;
import ai.djl.inference.Predictor;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.Block;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.core.Linear;
import ai.djl.pytorch.engine.PtSymbolBlock;
import ai.djl.pytorch.jni.JniUtils;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.GradientCollector;
import ai.djl.training.Trainer;
import ai.djl.training.loss.Loss;
import ai.djl.translate.NoopTranslator;
import io.camhook.ForwardHook;
import io.camhook.Hooks;
import io.camhook.config.CamhookConfig;
import io.camhook.config.CamhookConfig.Target;
import io.camhook.recording.Capture;
import io.camhook.recording.Tensor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The usual transfer-learning net: the features of an archive and one's own classifier. Paths
 * continue inside the archive, and the values recorded there are those that the archive alone would
 * record.
 */
class ArchiveInBlockTest {
  private static final Path GAP_LINEAR =
      Path.of("../runtime/src/test/resources/torchscript/gap_linear.traced.pt");
  private static final int CLASSES = 8; // of the archive
  private static final String LAYER = "features.6";
  private static final String INSIDE = "01PtSymbolBlock.features.6";

  @TempDir Path directory;
  private Path archive = Path.of("");

  @BeforeEach
  void copy() throws Exception {
    archive = Files.copy(GAP_LINEAR, directory.resolve("backbone.pt"));
  }

  @Test
  void path_inside_an_archive_should_be_a_layer() throws Exception {
    float[] plain = answer(false);
    Capture captured;
    try (WovenDjl djl = new WovenDjl(WovenDjl.capturing(Target.TOP1, INSIDE))) {
      assertThat(answer(false)).containsExactly(plain);
      captured = only(djl);
    }
    int best = plain[0] > plain[1] ? 0 : 1;
    // ∂y_best/∂A = Σ_k W[best, k] ∂logit_k/∂A, each of them by the archive alone
    float[] expected = null;
    float[] activation = null;
    for (int k = 0; k < CLASSES; k++) {
      Capture alone = alone(k);
      activation = floats(alone, "activation/" + LAYER);
      float[] gradient = floats(alone, "gradient/" + LAYER);
      expected = expected == null ? new float[gradient.length] : expected;
      for (int i = 0; i < gradient.length; i++) {
        expected[i] += weight(best, k) * gradient[i];
      }
    }
    assertThat(floats(captured, "activation/" + INSIDE)).containsExactly(activation);
    // float32, eight summands
    assertThat(floats(captured, "gradient/" + INSIDE)).containsExactly(expected, within(1e-6f));
  }

  @Test
  void second_request_should_record_the_same_and_answer_the_same() throws Exception {
    try (WovenDjl djl = new WovenDjl(WovenDjl.capturing(Target.TOP1, INSIDE));
        Net net = new Net(false, false)) {
      float[] first = net.predict();
      assertThat(net.predict()).containsExactly(first);
      List<Capture> captures = djl.captured();
      assertThat(captures).as("%s %s", djl.messages, djl.failures).hasSize(2);
      for (String tensor : List.of("activation/", "gradient/")) {
        assertThat(floats(captures.get(1), tensor + INSIDE))
            .containsExactly(floats(captures.get(0), tensor + INSIDE));
      }
    }
  }

  @Test
  void auto_should_be_the_layer_that_it_is_of_the_archive_alone() throws Exception {
    Set<String> alone;
    try (WovenDjl djl = new WovenDjl(WovenDjl.capturing(Target.TOP1, "auto"));
        Model model = ScriptLoading.PATH.load(named())) {
      predict(model);
      alone = maps(only(djl));
    }
    assertThat(alone).hasSize(2);
    for (boolean trainable : new boolean[] {true, false}) {
      // an archive loaded for training is instrumented; another once an entry names it
      CamhookConfig.Model named = entry(trainable ? "nobody" : "backbone", List.of("auto"));
      CamhookConfig config =
          WovenDjl.config(1, false, WovenDjl.model(Target.TOP1, null, "auto"), named);
      try (WovenDjl djl = new WovenDjl(config);
          Net net = new Net(trainable, false)) {
        net.predict();
        assertThat(maps(only(djl)))
            .as("trainable %s: %s", trainable, djl.messages)
            .isEqualTo(
                alone.stream()
                    .map(name -> name.replace("/", "/01PtSymbolBlock."))
                    .collect(Collectors.toSet()));
        assertThat(djl.messages).anyMatch(m -> m.contains("'auto' is layer '01PtSymbolBlock."));
      }
    }
  }

  @Test
  void auto_should_say_what_to_do_where_the_archive_was_not_looked_into() throws Exception {
    try (WovenDjl djl = new WovenDjl(WovenDjl.capturing(Target.TOP1, "auto"));
        Net net = new Net(false, false)) {
      net.predict();
      assertThat(djl.messages)
          .anyMatch(
              m ->
                  m.contains("'auto' finds no layer")
                      && m.contains("01PtSymbolBlock")
                      && m.contains("capture: []"));
    }
  }

  @Test
  void archive_that_no_path_means_should_be_loaded_as_it_came() throws Exception {
    for (String layer : List.of("layer4.1.conv2", "01PtSymbolBlock.classifier", "auto")) {
      try (WovenDjl djl = new WovenDjl(WovenDjl.capturing(Target.TOP1, layer));
          Net net = new Net(false, false)) {
        assertThat(JniUtils.getMethodNames((PtSymbolBlock) net.inner.getBlock()))
            .noneMatch(name -> name.startsWith("camhook"));
        assertThat(djl.messages).isEmpty();
      }
    }
  }

  @Test
  void training_step_should_leave_the_same_gradients_and_be_captured() throws Exception {
    for (boolean trainable : new boolean[] {true, false}) {
      List<float[]> plain = steps(trainable);
      try (WovenDjl djl = new WovenDjl(WovenDjl.capturing(Target.TOP1, INSIDE))) {
        List<float[]> captured = steps(trainable);
        assertThat(captured).hasSameSizeAs(plain);
        for (int i = 0; i < plain.size(); i++) {
          assertThat(captured.get(i)).containsExactly(plain.get(i));
        }
        assertThat(djl.captured()).as("%s %s", djl.messages, djl.failures).hasSize(2);
        assertThat(djl.captured().get(1).tensors())
            .containsKeys("activation/" + INSIDE, "gradient/" + INSIDE);
      }
    }
  }

  @Test
  void auto_should_be_the_same_layer_in_training() throws Exception {
    for (boolean trainable : new boolean[] {true, false}) {
      CamhookConfig config =
          WovenDjl.config(
              1,
              false,
              WovenDjl.model(Target.TOP1, null, "auto"),
              entry(
                  "backbone", List.of("auto"))); // the archive is instrumented because of its entry
      Set<String> predicted;
      try (WovenDjl djl = new WovenDjl(config);
          Net net = new Net(trainable, false)) {
        net.predict();
        predicted = maps(only(djl));
      }
      List<float[]> plain = steps(trainable);
      try (WovenDjl djl = new WovenDjl(config)) {
        List<float[]> captured = steps(trainable);
        assertThat(captured).hasSameSizeAs(plain);
        for (int i = 0; i < plain.size(); i++) {
          assertThat(captured.get(i)).containsExactly(plain.get(i));
        }
        // of two steps: the first one shows which layer it is
        assertThat(maps(only(djl))).isEqualTo(predicted);
        assertThat(djl.messages)
            .anyMatch(m -> m.contains("the one that looked for 'auto' was not captured"));
        assertThat(djl.counters().failed()).isEqualTo(1);
      }
    }
  }

  @Test
  void hooks_of_the_configuration_should_reach_inside() throws Exception {
    float[] alone;
    try (WovenDjl djl = new WovenDjl(WovenDjl.config(1, false, hooked(LAYER)));
        Model model = ScriptLoading.PATH.load(named())) {
      alone = predict(model);
      assertThat(djl.failures).isEmpty();
    }
    float[] plain = answer(false);
    for (boolean trainable : new boolean[] {true, false}) {
      try (WovenDjl djl = new WovenDjl(WovenDjl.config(1, false, hooked(INSIDE)));
          Net net = new Net(trainable, false)) {
        float[] steered = net.predict();
        assertThat(djl.messages).isEmpty();
        assertThat(djl.failures).isEmpty();
        for (int row = 0; row < steered.length; row++) {
          double expected = 0;
          for (int k = 0; k < CLASSES; k++) {
            expected += weight(row, k) * alone[k];
          }
          assertThat(steered[row]).isCloseTo((float) expected, within(1e-5f)); // float32
        }
        assertThat(steered).isNotEqualTo(plain);
      }
    }
  }

  @Test
  void layer_before_the_archive_should_get_its_gradient_through_it() throws Exception {
    String before = "01LambdaBlock";
    String inside = "02PtSymbolBlock." + LAYER;
    try (WovenDjl djl =
            new WovenDjl(
                WovenDjl.capturing(new Target(Target.Kind.CLASS, 1, 1, null), before, inside));
        Net net = new Net(true, true)) {
      net.predict();
      net.predict();
      List<Capture> captures = djl.captured();
      assertThat(captures).as("%s %s", djl.messages, djl.failures).hasSize(2);
      for (Capture capture : captures) {
        assertThat(capture.tensors())
            .containsKeys(
                "activation/" + before,
                "gradient/" + before,
                "activation/" + inside,
                "gradient/" + inside);
        float[] gradient = floats(capture, "gradient/" + before);
        for (int at : new int[] {1000, 2501, 4444}) {
          // a central difference in float32: the score is about 1, the step 0.01
          assertThat(gradient[at]).isCloseTo(net.slope(at), within(2e-4f));
        }
      }
    }
  }

  @Test
  void what_is_not_inside_should_be_refused_with_the_reason() throws Exception {
    try (WovenDjl djl =
            new WovenDjl(WovenDjl.capturing(Target.TOP1, INSIDE, "01PtSymbolBlock.features.99"));
        Net net = new Net(false, false)) {
      net.predict();
      assertThat(maps(only(djl))).hasSize(2);
      assertThat(djl.messages)
          .anyMatch(m -> m.contains("layer '01PtSymbolBlock.features.99' matches none"));
    }
    try (Net net = new Net(false, false);
        WovenDjl djl = new WovenDjl(WovenDjl.capturing(Target.TOP1, INSIDE))) {
      net.predict();
      assertThat(djl.messages)
          .anyMatch(
              m ->
                  m.contains("layer '" + INSIDE + "' is inside a TorchScript archive")
                      && m.contains("loaded before"));
      assertThat(djl.failures).isEmpty();
    }
  }

  @Test
  void hooks_should_reach_inside_by_path() throws Exception {
    try (WovenDjl djl = new WovenDjl(WovenDjl.capturing(Target.TOP1, INSIDE));
        Net net = new Net(false, false)) {
      List<Shape> seen = new ArrayList<>();
      ForwardHook<Block, NDList> hook =
          (block, path, inputs, outputs) -> {
            seen.add(outputs.head().getShape());
            return null;
          };
      try (var handle = Hooks.registerForwardHook(net.model, INSIDE, hook)) {
        net.predict();
      }
      assertThat(seen).containsExactly(new Shape(1, 48, 12, 10));
      assertThatThrownBy(
              () -> Hooks.registerForwardHook(net.model, "01PtSymbolBlock.features.99", hook))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("matches none");
      assertThat(maps(only(djl))).hasSize(2); // hooked passes are captured by a second one
    }
  }

  /** Doubles what a layer returns. */
  public static final class Doubling implements ForwardHook<Object, NDList> {
    @Override
    public NDList afterForward(Object module, String path, NDList inputs, NDList outputs) {
      return new NDList(outputs.head().mul(2));
    }
  }

  private static CamhookConfig.Model hooked(String path) {
    return entry(
        "net",
        List.of(),
        new CamhookConfig.Hook(List.of(path), Doubling.class.getName(), true, Map.of()));
  }

  /** An entry that captures nothing by itself. */
  private static CamhookConfig.Model entry(
      String name, List<String> layers, CamhookConfig.Hook... hooks) {
    return new CamhookConfig.Model(name, layers, Set.of(), Target.TOP1, null, List.of(hooks), null);
  }

  /** The archive by the name that the configuration has. */
  private Path named() throws Exception {
    return Files.copy(archive, directory.resolve("net.pt"), REPLACE_EXISTING);
  }

  private float[] answer(boolean trainable) throws Exception {
    try (Net net = new Net(trainable, false)) {
      return net.predict();
    }
  }

  /** The gradients of the classifier's parameters and the archive's first, after each step. */
  private List<float[]> steps(boolean trainable) throws Exception {
    List<float[]> all = new ArrayList<>();
    try (Net net = new Net(trainable, false);
        Trainer trainer = net.model.newTrainer(new DefaultTrainingConfig(Loss.l2Loss()));
        NDManager manager = trainer.getManager().newSubManager()) {
      for (int i = 0; i < 2; i++) {
        try (GradientCollector collector = trainer.newGradientCollector()) {
          NDList y = trainer.forward(new NDList(picture(manager)));
          all.add(y.head().toFloatArray());
          collector.backward(y.head().sum());
        }
        net.model.getBlock().getParameters().values().stream()
            .map(parameter -> parameter.getArray())
            .filter(NDArray::hasGradient)
            .forEach(array -> all.add(array.getGradient().toFloatArray()));
        trainer.step();
      }
    }
    return all;
  }

  private Capture alone(int classIndex) throws Exception {
    try (WovenDjl djl =
            new WovenDjl(
                WovenDjl.capturing(new Target(Target.Kind.CLASS, 1, classIndex, null), LAYER));
        Model model = ScriptLoading.PATH.load(named())) {
      predict(model);
      return only(djl);
    }
  }

  private static float[] predict(Model model) throws Exception {
    try (NDManager manager = NDManager.newBaseManager("PyTorch");
        Predictor<NDList, NDList> predictor = model.newPredictor(new NoopTranslator(null))) {
      return predictor.predict(new NDList(picture(manager))).head().toFloatArray();
    }
  }

  private static NDArray picture(NDManager manager) {
    NDArray steps = manager.arange(3 * 48 * 40).toType(DataType.FLOAT32, false);
    return steps.mul(0.37f).sin().reshape(1, 3, 48, 40);
  }

  private static float weight(int row, int column) {
    return (float) Math.sin(1 + 3 * row + 0.7 * column);
  }

  private static Capture only(WovenDjl djl) {
    assertThat(djl.captured()).as("%s %s", djl.messages, djl.failures).hasSize(1);
    return djl.captured().get(0);
  }

  private static Set<String> maps(Capture capture) {
    return capture.tensors().keySet().stream()
        .filter(name -> name.startsWith("activation/") || name.startsWith("gradient/"))
        .collect(Collectors.toSet());
  }

  private static float[] floats(Capture capture, String name) {
    Tensor tensor = capture.tensors().get(name);
    assertThat(tensor).as("%s of %s", name, capture.tensors().keySet()).isNotNull();
    return tensor.toFloats();
  }

  /** An archive that was loaded as a model of its own, and a linear layer with two classes. */
  private final class Net implements AutoCloseable {
    final Model inner = Model.newInstance("inner", "PyTorch");
    final Model model = Model.newInstance("net", "PyTorch");

    /**
     * @param rectified whether a ReLU comes before the archive
     */
    Net(boolean trainable, boolean rectified) throws Exception {
      inner.load(
          archive.toAbsolutePath(), null, trainable ? Map.of("trainParam", "true") : Map.of());
      Block linear = Linear.builder().setUnits(2).optBias(false).build();
      SequentialBlock block = new SequentialBlock();
      if (rectified) {
        block.add(Activation.reluBlock());
      }
      model.setBlock(block.add(inner.getBlock()).add(linear));
      NDManager manager = model.getNDManager();
      linear.initialize(manager, DataType.FLOAT32, new Shape(1, CLASSES));
      float[] weights = new float[2 * CLASSES];
      for (int i = 0; i < weights.length; i++) {
        weights[i] = weight(i / CLASSES, i % CLASSES);
      }
      try (NDArray values = manager.create(weights, new Shape(2, CLASSES))) {
        values.copyTo(linear.getParameters().get("weight").getArray());
      }
    }

    float[] predict() throws Exception {
      return ArchiveInBlockTest.predict(model);
    }

    /** The slope of the second score in one value of what the ReLU returns. */
    float slope(int at) throws Exception {
      float[] scores = new float[2];
      float step = 0.01f;
      try (NDManager manager = NDManager.newBaseManager("PyTorch")) {
        for (int side = 0; side < 2; side++) {
          float[] values = Activation.relu(picture(manager)).toFloatArray();
          values[at] += side == 0 ? -step : step;
          NDList given = new NDList(manager.create(values, new Shape(1, 3, 48, 40)));
          var store = new ai.djl.training.ParameterStore(manager, false);
          NDList features = inner.getBlock().forward(store, given, false);
          NDList scored =
              model.getBlock().getChildren().get("03Linear").forward(store, features, false);
          scores[side] = scored.head().toFloatArray()[1];
        }
      }
      return (scores[1] - scores[0]) / (2 * step);
    }

    @Override
    public void close() {
      model.close();
      inner.close();
    }
  }
}
