package io.camhook.agent.weave;

import static java.nio.file.StandardCopyOption.REPLACE_EXISTING;
import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Model;
import ai.djl.inference.Predictor;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.NDScope;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.Block;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.core.Linear;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.GradientCollector;
import ai.djl.training.Trainer;
import ai.djl.training.loss.Loss;
import ai.djl.translate.NoopTranslator;
import io.camhook.config.CamhookConfig.Target;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A captured request leaves the application in the same state as an uncaptured one. */
class SampledResultsTest {
  @TempDir Path directory;

  /** y = 2x, and 2x + 1 in each second call: the flag that the module holds flips. */
  private Path stateful() throws Exception {
    String part = "    return torch.mul(x, 2)\n";
    String body =
        """
            part = self.part
            y = (part).forward(x, )
            if self.training:
              z = torch.add(y, 1)
            else:
              z = y
            self.training = torch.__not__(self.training)
            return z
        """;
    return SourceArchive.write(
        directory.resolve("state.pt"), SourceArchive.source("Tensor", part) + body);
  }

  @Test
  void model_that_keeps_state_should_run_once_a_request() throws Exception {
    Path file = stateful();
    List<Float> plain = answers(file);
    assertThat(plain).containsExactly(6f, 7f, 6f, 7f, 6f, 7f);
    try (WovenDjl djl = new WovenDjl(WovenDjl.capturing(Target.TOP1, "part"))) {
      assertThat(answers(file)).isEqualTo(plain);
      assertThat(djl.captured())
          .as("%s", djl.messages)
          .hasSize(6)
          .allMatch(capture -> capture.tensors().containsKey("activation/part"));
      assertThat(djl.failures).isEmpty();
      assertThat(djl.messages)
          .containsExactly(
              "model net keeps state between requests (forward assigns .training): captured in one"
                  + " run with the application's, without gradients");
    }
  }

  private static List<Float> answers(Path file) throws Exception {
    List<Float> answers = new ArrayList<>();
    try (Model model = ScriptLoading.PATH.load(file);
        NDManager manager = NDManager.newBaseManager("PyTorch");
        Predictor<NDList, NDList> predictor = model.newPredictor(new NoopTranslator(null))) {
      for (int i = 0; i < 6; i++) {
        NDList outputs = predictor.predict(new NDList(manager.create(new float[] {3, 1})));
        answers.add(outputs.head().toFloatArray()[0]);
      }
    }
    return answers;
  }

  @Test
  void scope_around_predict_should_close_nothing_that_is_captured() throws Exception {
    try (WovenDjl djl = new WovenDjl(WovenDjl.capturing(Target.TOP1, "01Linear", "03Linear"));
        Model model = net();
        NDManager manager = NDManager.newBaseManager("PyTorch")) {
      for (int i = 0; i < 20; i++) {
        try (NDScope scope = new NDScope();
            Predictor<NDList, NDList> predictor = model.newPredictor(new NoopTranslator(null))) {
          scope.suppressNotUsedWarning();
          predictor.predict(new NDList(manager.ones(new Shape(2, 3))));
        }
      }
      assertThat(djl.captured())
          .hasSize(20)
          .allSatisfy(
              capture ->
                  assertThat(capture.tensors())
                      .containsKeys(
                          "input.0",
                          "output.0",
                          "activation/01Linear",
                          "gradient/01Linear",
                          "classifier.weight"));
      assertThat(djl.failures).isEmpty();
    }
  }

  @Test
  void sampled_step_should_leave_the_gradient_of_the_input_of_blocks() throws Exception {
    try (Model model = net()) {
      float[] plain = step(model);
      assertThat(plain).isNotEmpty();
      try (WovenDjl djl = new WovenDjl(WovenDjl.capturing(Target.TOP1, "01Linear"))) {
        assertThat(step(model)).containsExactly(plain);
        assertThat(djl.captured()).hasSize(1);
      }
    }
  }

  private static float[] step(Model model) {
    DefaultTrainingConfig config = new DefaultTrainingConfig(Loss.l2Loss());
    try (Trainer trainer = model.newTrainer(config);
        NDManager manager = trainer.getManager().newSubManager();
        GradientCollector collector = trainer.newGradientCollector()) {
      NDArray x = manager.create(new float[] {1, -2, 3, 0, 1, 2}, new Shape(2, 3));
      x.setRequiresGradient(true);
      NDList y = trainer.forward(new NDList(x));
      collector.backward(y.head().sum());
      return x.getGradient().toFloatArray();
    }
  }

  @Test
  void sampled_step_should_leave_the_gradient_of_the_input_of_an_archive() throws Exception {
    Path file = Path.of("../runtime/src/test/resources/torchscript/gap_linear.traced.pt");
    float[] plain = scriptStep(file);
    assertThat(plain).isNotEmpty();
    try (WovenDjl djl = new WovenDjl(WovenDjl.capturing(Target.TOP1, "features"))) {
      float[] sampled = scriptStep(file);
      assertThat(Arrays.copyOf(sampled, plain.length)).containsExactly(plain);
      assertThat(djl.captured()).as("%s", djl.messages).hasSize(1);
      assertThat(djl.messages)
          .containsExactly(
              "model net: training steps whose input requires a gradient are captured without its"
                  + " layers: the input would lose that gradient");
    }
  }

  private float[] scriptStep(Path file) throws Exception {
    try (Model model = trainable(file);
        Trainer trainer = model.newTrainer(new DefaultTrainingConfig(Loss.l2Loss()));
        NDManager manager = trainer.getManager().newSubManager();
        GradientCollector collector = trainer.newGradientCollector()) {
      NDArray x = manager.ones(new Shape(1, 3, 48, 40));
      x.setRequiresGradient(true);
      NDList y = trainer.forward(new NDList(x));
      collector.backward(y.head().sum());
      return x.getGradient().toFloatArray();
    }
  }

  /** The usual transfer-learning net: an archive's features and one's own classifier. */
  @Test
  void archive_inside_a_block_should_be_a_layer_with_activation_and_gradient() throws Exception {
    Path file = Path.of("../runtime/src/test/resources/torchscript/gap_linear.traced.pt");
    try (Model inner = Model.newInstance("inner", "PyTorch");
        Model model = Model.newInstance("net", "PyTorch");
        NDManager manager = NDManager.newBaseManager("PyTorch")) {
      inner.load(file.toAbsolutePath());
      model.setBlock(
          new SequentialBlock().add(inner.getBlock()).add(Linear.builder().setUnits(2).build()));
      model
          .getBlock()
          .getChildren()
          .get("02Linear")
          .initialize(manager, DataType.FLOAT32, new Shape(1, 8));
      try (WovenDjl djl = new WovenDjl(WovenDjl.capturing(Target.TOP1, "01PtSymbolBlock"));
          Predictor<NDList, NDList> predictor = model.newPredictor(new NoopTranslator(null))) {
        predictor.predict(new NDList(manager.ones(new Shape(1, 3, 48, 40))));
        assertThat(djl.captured()).as("%s %s", djl.messages, djl.failures).hasSize(1);
        assertThat(djl.captured().get(0).tensors())
            .containsKeys("activation/01PtSymbolBlock", "gradient/01PtSymbolBlock");
      }
    }
  }

  private Model trainable(Path file) throws Exception {
    Path named = Files.copy(file, directory.resolve("net.pt"), REPLACE_EXISTING);
    Model model = Model.newInstance("net", "PyTorch");
    model.load(named, null, Map.of("trainParam", "true"));
    return model;
  }

  private static Model net() {
    Model model = Model.newInstance("net", "PyTorch");
    Block block =
        new SequentialBlock()
            .add(Linear.builder().setUnits(4).build())
            .add(Activation.reluBlock())
            .add(Linear.builder().setUnits(2).build());
    model.setBlock(block);
    block.initialize(model.getNDManager(), DataType.FLOAT32, new Shape(2, 3));
    return model;
  }
}
