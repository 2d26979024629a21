package io.camhook.djl.pass;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtSymbolBlock;
import ai.djl.pytorch.jni.IValue;
import ai.djl.pytorch.jni.JniUtils;
import io.camhook.djl.autograd.ModuleCalls;
import io.camhook.torchscript.twin.TapPlan;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The archive ends in global average pooling over K maps of h · w pixels and a linear layer with
 * weight W, so that ∂ score of class c / ∂ A[k,i,j] = W[c,k] / (h · w): CAM is Grad-CAM there (Zhou
 * et al., 2016). That is known without autograd ({@code AveragedPassTest}); here the passes are
 * those of an application that trains, or go through more code, and so are differentiated.
 */
class GradientPassTest {
  @TempDir Path temp;

  private final TorchRun run = new TorchRun();
  private boolean gradMode;
  private Path copy;
  private TapPlan plan;
  private PtSymbolBlock block;
  private FloatBuffer weight;

  @BeforeEach
  void load() throws Exception {
    load("nets.py", Map.of());
    gradMode = JniUtils.isGradMode();
    JniUtils.setGradMode(true);
  }

  private void load(String code, Map<String, String> edits) throws Exception {
    Path folder = Files.createTempDirectory(temp, "edition");
    GapLinear net = GapLinear.load(run, folder, code, edits);
    copy = net.copy();
    plan = net.plan();
    block = net.block();
    weight = net.weight();
  }

  @AfterEach
  void close() {
    JniUtils.setGradMode(gradMode);
    run.close();
  }

  private NDList input(int samples) {
    run.manager.getEngine().setRandomSeed(3);
    return new NDList(run.manager.randomNormal(new Shape(samples, 3, 48, 40)).mul(3));
  }

  private void requireGradients(GradientPass pass, List<Integer> classes) {
    requireGradients(pass, classes, 1);
  }

  private void requireGradients(GradientPass pass, List<Integer> classes, float factor) {
    assertThat(pass.classes()).isEqualTo(classes);
    assertThat(pass.labels()).hasToString("[features]");
    Shape shape = pass.taps().get(0).getShape();
    int channels = (int) shape.get(1);
    int pixels = (int) (shape.get(2) * shape.get(3));
    float[] gradient = pass.gradients().get(0).toFloatArray();
    float[] rows = pass.classifierRows().toFloatArray();
    assertThat(gradient).hasSize(classes.size() * channels * pixels);
    assertThat(rows).hasSize(classes.size() * channels);
    for (int i = 0; i < gradient.length; i++) {
      int sample = i / (channels * pixels);
      int channel = i / pixels % channels;
      float w = weight.get(classes.get(sample) * channels + channel);
      assertThat(rows[sample * channels + channel]).isEqualTo(w);
      assertThat(gradient[i]).isCloseTo(factor * w / pixels, within(1e-7f)); // W is below 1
    }
  }

  @Test
  void best_class_of_each_sample_should_be_explained() {
    NDList input = input(6);
    GradientPass pass = GradientPass.run(block, plan, -1, input, true, run.manager);
    List<Integer> best =
        Arrays.stream(pass.output().argMax(1).toLongArray()).mapToObj(Math::toIntExact).toList();
    assertThat(best).hasSize(6);
    requireGradients(pass, best);
  }

  @Test
  void one_class_should_be_explained_for_all_samples() {
    requireGradients(
        GradientPass.run(block, plan, 2, input(3), true, run.manager), List.of(2, 2, 2));
  }

  @Test
  void trainable_weights_should_cost_no_gradient() {
    block.freezeParameters(false);
    requireGradients(
        GradientPass.run(block, plan, 2, input(3), true, run.manager), List.of(2, 2, 2));
  }

  @Test
  void outputs_and_activations_should_be_those_of_forward_without_a_graph() {
    NDList input = input(2);
    GradientPass pass = GradientPass.run(block, plan, -1, input, true, run.manager);
    float[] expected;
    try (IValue plain = ModuleCalls.run(block, "forward", input, true)) {
      expected = plain.toTensor(run.manager).toFloatArray(); // the original text
    }
    assertThat(pass.output().toFloatArray()).isEqualTo(expected);
    RecordedRun recorded = RecordedRun.run(block, plan, input, false, true, run.manager);
    assertThat(pass.taps().get(0).toFloatArray()).isEqualTo(recorded.taps().get(0).toFloatArray());
    for (NDArray array : List.of(pass.output(), pass.taps().get(0), pass.gradients().get(0))) {
      assertThat(JniUtils.requiresGrad((PtNDArray) array)).isFalse();
    }
    pass.output().muli(0); // the application's own
    assertThat(pass.scores().toFloatArray()).isEqualTo(expected);
  }

  @Test
  void class_that_is_not_there_should_give_no_gradients() {
    GradientPass pass = GradientPass.run(block, plan, 1000, input(2), true, run.manager);
    assertThat(pass.classes()).containsExactly(1000, 1000);
    assertThat(pass.gradients()).containsOnlyNulls();
    assertThat(pass.classifierRows()).isNull();
    assertThat(pass.taps()).hasSize(1);
  }

  /** The instrumented copy's own code, where a method's text shows what it does without. */
  private String code() throws Exception {
    StringBuilder code = new StringBuilder();
    try (ZipFile zip = new ZipFile(copy.toFile())) {
      for (ZipEntry entry : Collections.list(zip.entries())) {
        if (entry.getName().endsWith(".py")) {
          code.append(new String(zip.getInputStream(entry).readAllBytes(), UTF_8));
        }
      }
    }
    return code.toString();
  }

  @Test
  void head_and_classifier_should_be_without_autograd() throws Exception {
    assertThat(plan.headMethod()).isEqualTo("camhook_head");
    assertThat(code()).contains("camhook_taps.before(camhook_features, ");
  }

  @Test
  void linear_layer_should_be_differentiated_where_something_follows() throws Exception {
    load("nets.py", Map.of("return _1", "return torch.mul(_1, 2)"));
    assertThat(code()).doesNotContain("camhook_taps.before(camhook_features, ");
    GradientPass pass = GradientPass.run(block, plan, 1, input(2), false, run.manager);
    requireGradients(pass, List.of(1, 1), 2);
  }

  @Test
  void linear_layer_should_be_differentiated_where_it_does_more() throws Exception {
    String code = "torch/nn/modules/linear/___torch_mangle_3006.py";
    load(code, Map.of("torch.linear(argument_1,", "torch.linear(torch.mul(argument_1, 2),"));
    assertThat(code()).doesNotContain("camhook_taps.before(camhook_features, ");
    GradientPass pass = GradientPass.run(block, plan, 1, input(2), false, run.manager);
    requireGradients(pass, List.of(1, 1), 2);
  }
}
