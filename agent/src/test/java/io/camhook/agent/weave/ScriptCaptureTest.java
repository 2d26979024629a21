package io.camhook.agent.weave;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Device;
import ai.djl.Model;
import ai.djl.inference.Predictor;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.engine.PtSymbolBlock;
import ai.djl.pytorch.jni.JniUtils;
import ai.djl.translate.TranslateException;
import io.camhook.config.CamhookConfig;
import io.camhook.config.CamhookConfig.Target;
import io.camhook.dispatch.Dispatch;
import io.camhook.recording.Capture;
import io.camhook.recording.Counters;
import io.camhook.recording.LayerOutput;
import io.camhook.recording.Tensor;
import io.camhook.recording.TensorName;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** TorchScript archives that are loaded and predict while DJL is woven. */
class ScriptCaptureTest {
  private static final Path ARCHIVES = Path.of("../runtime/src/test/resources/torchscript");
  private static final String GAP_LINEAR = "gap_linear.traced.pt";
  private static final LayerOutput FEATURES = LayerOutput.of("features");

  @Test
  void class_that_the_model_does_not_have_should_be_said_once_and_counted() throws Exception {
    byte[] plain = plain();
    try (WovenDjl djl =
            new WovenDjl(
                WovenDjl.capturing(new Target(Target.Kind.CLASS, 1, 1000, null), "features"));
        Model model = load();
        Predictor<NDList, NDList> predictor = model.newPredictor(Nets.unbatched())) {
      for (int i = 0; i < 3; i++) {
        assertThat(predict(predictor)).isEqualTo(plain);
      }
      assertThat(djl.failures).isEmpty();
      assertThat(djl.messages)
          .containsExactly(
              "model net is not captured: target class:1000: the model has the classes 0 to 7");
      assertThat(djl.captured()).isEmpty();
      assertThat(djl.counters()).isEqualTo(new Counters(3, 0, 0, 3));
    }
  }

  @Test
  void capture_should_hold_the_gradient_that_arithmetic_gives() throws Exception {
    byte[] plain = plain();
    try (WovenDjl djl = new WovenDjl(WovenDjl.capturing(Target.TOP1, "features"));
        Model model = load();
        Predictor<NDList, NDList> predictor = model.newPredictor(Nets.unbatched())) {
      for (int i = 0; i < 3; i++) { // the first is a replay, the others are direct
        boolean mode = JniUtils.isGradMode();
        assertThat(predict(predictor)).isEqualTo(plain);
        assertThat(JniUtils.isGradMode()).isEqualTo(mode);
        assertThat(Dispatch.active).isFalse();
      }
      assertThat(djl.failures).isEmpty();
      assertThat(djl.messages).isEmpty();
      assertThat(djl.captured()).hasSize(3);
      for (Capture capture : djl.captured()) {
        assertThat(capture.layers()).containsExactly(FEATURES);
        int top = capture.targets().get(0).index();
        // logit = fc.bias + Σ_c fc.weight[top,c] · mean over H·W of A_c, so ∂/∂A_chw is weight /
        // H·W
        Tensor gradient = capture.tensor(TensorName.gradient(0, FEATURES)).orElseThrow();
        NDArray row = model.getBlock().getParameters().get(weightName(model)).getArray().get(top);
        int area = Math.toIntExact(gradient.size(2) * gradient.size(3));
        float[] expected = new float[Math.toIntExact(gradient.size(1)) * area];
        for (int c = 0; c < gradient.size(1); c++) {
          Arrays.fill(expected, c * area, (c + 1) * area, row.getFloat(c) / area);
        }
        assertThat(gradient.toFloats()).containsExactly(expected);
        assertThat(capture.tensor(TensorName.CLASSIFIER_WEIGHT).orElseThrow().toFloats())
            .containsExactly(row.toFloatArray());
        assertThat(capture.tensor(TensorName.activation(FEATURES)).orElseThrow().shape())
            .containsExactly(gradient.shape());
      }
    }
  }

  @Test
  void pass_that_is_not_drawn_should_run_the_plain_method() throws Exception {
    byte[] plain = plain();
    try (WovenDjl djl =
            new WovenDjl(WovenDjl.config(0, false, WovenDjl.model(Target.TOP1, null, "*")));
        Model model = load();
        Predictor<NDList, NDList> predictor = model.newPredictor(Nets.unbatched())) {
      assertThat(predict(predictor)).isEqualTo(plain);
      assertThat(djl.messages).isEmpty();
      assertThat(djl.captured()).isEmpty();
    }
  }

  @Test
  void parameters_should_be_frozen_as_without_camhook() throws Exception {
    try (WovenDjl djl = new WovenDjl(WovenDjl.capturing(Target.TOP1, "*"));
        Model model = load()) {
      assertThat(model.getBlock().getParameters()).isNotEmpty();
      assertThat(model.getBlock().getParameters().values())
          .allMatch(parameter -> !parameter.getArray().hasGradient());
      assertThat(djl.failures).isEmpty();
    }
  }

  @Test
  void copies_of_archives_should_be_gone_when_the_model_is_loaded() throws Exception {
    List<Path> before = temporary();
    try (WovenDjl djl = new WovenDjl(WovenDjl.capturing(Target.TOP1, "*"));
        Model model = load();
        Model streamed = Model.newInstance("net", "PyTorch");
        InputStream stream = Files.newInputStream(ARCHIVES.resolve(GAP_LINEAR))) {
      streamed.load(stream);
      // Other processes make such files too, and delete theirs as soon.
      Awaitility.await().untilAsserted(() -> assertThat(before).containsAll(temporary()));
      assertThat(djl.messages).isEmpty();
      assertThat(model.getBlock()).isNotNull();
    }
  }

  private static List<Path> temporary() throws Exception {
    try (Stream<Path> files = Files.list(Path.of(System.getProperty("java.io.tmpdir")))) {
      return files.filter(file -> file.toString().contains("camhook-")).sorted().toList();
    }
  }

  @Test
  void model_from_a_stream_should_be_captured() throws Exception {
    byte[] plain = plain();
    try (WovenDjl djl = new WovenDjl(WovenDjl.capturing(Target.TOP1, "features"));
        Model model = Model.newInstance("net", "PyTorch");
        InputStream stream = Files.newInputStream(ARCHIVES.resolve(GAP_LINEAR))) {
      model.load(stream);
      try (Predictor<NDList, NDList> predictor = model.newPredictor(Nets.unbatched())) {
        assertThat(predict(predictor)).isEqualTo(plain);
        assertThat(djl.captured()).hasSize(1);
        assertThat(djl.messages).isEmpty();
      }
    }
  }

  @Test
  void block_that_loads_parameters_should_be_captured() throws Exception {
    byte[] plain = plain();
    ByteArrayOutputStream saved = new ByteArrayOutputStream();
    try (Model model = load();
        DataOutputStream file = new DataOutputStream(saved)) {
      // What Model.save writes, which refuses a block that was not initialized in this process.
      file.writeBytes("DJL@");
      file.writeInt(1);
      file.writeUTF("net");
      file.writeUTF("FLOAT32");
      file.writeInt(0); // inputs
      file.writeInt(0); // properties
      model.getBlock().saveParameters(file);
    }
    try (WovenDjl djl = new WovenDjl(WovenDjl.capturing(Target.TOP1, "features"));
        Model model = Model.newInstance("net", "PyTorch")) {
      PtNDManager manager = (PtNDManager) model.getNDManager();
      model.setBlock(new PtSymbolBlock(manager));
      model.load(new ByteArrayInputStream(saved.toByteArray()));
      try (Predictor<NDList, NDList> predictor = model.newPredictor(Nets.unbatched())) {
        assertThat(predict(predictor)).isEqualTo(plain);
        assertThat(djl.captured()).hasSize(1);
        assertThat(djl.messages).isEmpty();
      }
    }
  }

  @Test
  void exact_should_capture_beside_the_plain_pass() throws Exception {
    byte[] plain = plain();
    try (WovenDjl djl =
            new WovenDjl(WovenDjl.config(1, true, WovenDjl.model(Target.TOP1, null, "features")));
        Model model = load();
        Predictor<NDList, NDList> predictor = model.newPredictor(Nets.unbatched())) {
      for (int i = 0; i < 2; i++) {
        assertThat(predict(predictor)).isEqualTo(plain);
      }
      assertThat(djl.captured())
          .hasSize(2)
          .allMatch(capture -> capture.tensor(TensorName.gradient(0, FEATURES)).isPresent());
      assertThat(djl.messages).isEmpty();
    }
  }

  @Test
  void target_none_should_record_without_gradients() throws Exception {
    byte[] plain = plain();
    Target none = new Target(Target.Kind.NONE, 0, -1, null);
    try (WovenDjl djl = new WovenDjl(WovenDjl.capturing(none, "features", "."));
        Model model = load();
        Predictor<NDList, NDList> predictor = model.newPredictor(Nets.unbatched())) {
      for (int i = 0; i < 2; i++) {
        assertThat(predict(predictor)).isEqualTo(plain);
      }
      assertThat(djl.messages).isEmpty();
      Capture capture = djl.captured().get(1);
      assertThat(capture.layers()).containsExactlyInAnyOrder(FEATURES, LayerOutput.of("."));
      assertThat(capture.tensors().keySet()).noneMatch(name -> name.startsWith("gradient"));
    }
  }

  @Test
  void auto_should_be_the_last_spatial_layer() throws Exception {
    try (WovenDjl djl = new WovenDjl(WovenDjl.capturing(Target.TOP1, "auto"));
        Model model = load();
        Predictor<NDList, NDList> predictor = model.newPredictor(Nets.unbatched())) {
      predict(predictor);
      assertThat(djl.captured().get(0).layers().get(0).path()).startsWith("features");
      assertThat(djl.messages).isEmpty();
    }
  }

  @Test
  void output_that_the_application_changes_should_not_change_the_capture() throws Exception {
    try (WovenDjl djl = new WovenDjl(WovenDjl.capturing(Target.TOP1, "."));
        Model model = load();
        NDManager manager = NDManager.newBaseManager("PyTorch");
        Predictor<NDList, NDList> predictor = model.newPredictor(Nets.unbatched())) {
      for (int i = 0; i < 2; i++) {
        NDArray output = predictor.predict(new NDList(input(manager))).head();
        float[] logits = output.toFloatArray();
        if (i > 0) { // the first pass is a replay, whose output is an inference tensor
          output.muli(0);
        }
        assertThat(
                djl.captured()
                    .get(i)
                    .tensor(TensorName.activation(LayerOutput.of(".")))
                    .orElseThrow()
                    .toFloats())
            .isEqualTo(logits);
      }
    }
  }

  @Test
  void training_pass_should_keep_the_graph_of_the_application() throws Exception {
    try (WovenDjl djl = new WovenDjl(WovenDjl.capturing(Target.TOP1, "features"));
        Model model = load();
        var trainer =
            model.newTrainer(
                new ai.djl.training.DefaultTrainingConfig(
                    ai.djl.training.loss.Loss.softmaxCrossEntropyLoss()));
        var collector = trainer.newGradientCollector()) {
      NDList outputs = trainer.forward(new NDList(input(trainer.getManager())));
      collector.backward(outputs.head().sum());
      NDArray gradient = model.getBlock().getParameters().get(weightName(model)).getArray();
      assertThat(gradient.getGradient().abs().sum().getFloat()).isPositive();
      assertThat(djl.failures).isEmpty();
      assertThat(djl.captured().get(0).tensor(TensorName.gradient(0, FEATURES))).isPresent();
    }
  }

  @Test
  void threads_should_get_their_own_captures_and_outputs() throws Exception {
    byte[] plain = plain();
    try (WovenDjl djl = new WovenDjl(WovenDjl.capturing(Target.TOP1, "features"));
        Model model = load()) {
      byte[][] outputs = new byte[4][];
      Thread[] threads = new Thread[outputs.length];
      for (int t = 0; t < threads.length; t++) {
        int thread = t;
        threads[t] =
            new Thread(
                () -> {
                  try (Predictor<NDList, NDList> predictor = model.newPredictor(Nets.unbatched())) {
                    for (int i = 0; i < 50; i++) {
                      outputs[thread] = predict(predictor);
                      if (!Arrays.equals(outputs[thread], plain)) {
                        return;
                      }
                    }
                  } catch (TranslateException e) {
                    throw new IllegalStateException(e);
                  }
                });
        threads[t].start();
      }
      for (Thread thread : threads) {
        thread.join();
      }
      assertThat(List.of(outputs)).allSatisfy(output -> assertThat(output).isEqualTo(plain));
      assertThat(djl.failures).isEmpty();
      List<Capture> captures = djl.captured();
      assertThat(captures).hasSize(200);
      float[] first = gradient(captures.get(0));
      assertThat(captures).allMatch(capture -> Arrays.equals(gradient(capture), first));
    }
  }

  private static float[] gradient(Capture capture) {
    return capture.tensor(TensorName.gradient(0, FEATURES)).orElseThrow().toFloats();
  }

  @Test
  void layer_that_is_not_there_should_be_one_warning_and_leave_the_model() throws Exception {
    byte[] plain = plain();
    try (WovenDjl djl = new WovenDjl(WovenDjl.capturing(Target.TOP1, "layer9"));
        Model model = load();
        Predictor<NDList, NDList> predictor = model.newPredictor(Nets.unbatched())) {
      assertThat(predict(predictor)).isEqualTo(plain);
      assertThat(djl.messages).hasSize(1);
      assertThat(djl.messages.get(0)).contains(GAP_LINEAR, "no module 'layer9'", "closest: [");
    }
  }

  @Test
  void model_loaded_before_should_be_hooked_as_a_whole() throws Exception {
    try (Model model = load();
        WovenDjl djl = new WovenDjl(WovenDjl.capturing(Target.TOP1, "*"));
        Predictor<NDList, NDList> predictor = model.newPredictor(Nets.unbatched())) {
      predict(predictor);
      assertThat(djl.captured().get(0).layers()).containsExactly(LayerOutput.of("."));
      assertThat(djl.messages).hasSize(1);
      assertThat(djl.messages.get(0)).contains("was loaded before camhook could tap its layers");
      RefusalTable.assertSays("loaded before the agent was there", djl.messages);
    }
  }

  @Test
  void model_of_another_name_should_be_left_alone() throws Exception {
    CamhookConfig.Model other = WovenDjl.model(Target.TOP1, null, "*");
    try (WovenDjl djl = new WovenDjl(WovenDjl.config(1, false, other));
        PtNDManager manager = (PtNDManager) NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
      PtSymbolBlock block =
          JniUtils.loadModule(
              manager, ARCHIVES.resolve(GAP_LINEAR), false, new String[0], new String[0], false);
      assertThat(JniUtils.getMethodNames(block)).noneMatch(name -> name.startsWith("camhook"));
      assertThat(djl.messages).isEmpty();
    }
  }

  private static String weightName(Model model) {
    return model.getBlock().getParameters().keys().stream()
        .filter(name -> name.endsWith("fc.weight"))
        .findFirst()
        .orElseThrow();
  }

  private static byte[] plain() throws Exception {
    try (Model model = load();
        Predictor<NDList, NDList> predictor = model.newPredictor(Nets.unbatched())) {
      return predict(predictor);
    }
  }

  private static Model load() throws Exception {
    Model model = Model.newInstance("net", "PyTorch");
    model.load(ARCHIVES, GAP_LINEAR);
    return model;
  }

  private static byte[] predict(Predictor<NDList, NDList> predictor) throws TranslateException {
    try (NDManager manager = NDManager.newBaseManager("PyTorch")) {
      return Nets.bytes(predictor.predict(new NDList(input(manager))));
    }
  }

  private static NDArray input(NDManager manager) {
    return Nets.input(manager, new Shape(1, 3, 48, 40).getShape());
  }
}
