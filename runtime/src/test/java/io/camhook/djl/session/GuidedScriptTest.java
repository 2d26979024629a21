package io.camhook.djl.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.camhook.dispatch.EventLog;
import io.camhook.dispatch.Failures;
import io.camhook.djl.archive.ScriptFile;
import io.camhook.djl.archive.ScriptLoads;
import io.camhook.engine.ModelSession;
import io.camhook.recording.LayerOutput;
import io.camhook.recording.Safetensors;
import io.camhook.recording.Tensor;
import io.camhook.torchscript.ScriptedArchive;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GuidedScriptTest {
  private static final Path ONE_CONV =
      Path.of("src/test/resources/torchscript/one_conv.scripted.pt");
  private static final Path REFERENCE =
      Path.of(System.getProperty("camhook.reference", ""), "torchscript");

  /** o = 3h - 4 relu(h - 1.5) with h = relu(x - 1): a module, a free function, an operator. */
  private static final String SOURCE =
      """
      class Rectifier(Module):
        __parameters__ = []
        __buffers__ = []
        training : bool
        def forward(self: __torch__.nets.Rectifier,
          x: Tensor) -> Tensor:
          _0 = __torch__.nets.rectify
          return _0(x, True, )
      def rectify(x: Tensor,
          inplace: bool=False) -> Tensor:
        if inplace:
          result = torch.relu_(x)
        else:
          result = torch.relu(x)
        return result
      class Net(Module):
        __parameters__ = []
        __buffers__ = []
        training : bool
        act : __torch__.nets.Rectifier
        def forward(self: __torch__.nets.Net,
          x: Tensor) -> Tensor:
          act = self.act
          h = (act).forward(torch.sub(x, 1.), )
          k = torch.mul(torch.relu(torch.sub(h, 1.5)), 4.)
          return torch.sub(torch.mul(h, 3.), k)
      """;

  @TempDir Path temp;

  private Path net(String source) throws Exception {
    ScriptedArchive.Module net =
        new ScriptedArchive.Module("__torch__.nets.Net")
            .with("act", new ScriptedArchive.Module("__torch__.nets.Rectifier"));
    return new ScriptedArchive()
        .source("__torch__/nets.py", source)
        .write(temp.resolve("net.pt"), net);
  }

  private static ModelSession open(Path file, List<String> paths) throws Exception {
    Failures failures = new Failures(EventLog.SILENT);
    ScriptLoads loads = new ScriptLoads(names -> null, List.of(), false, failures, EventLog.SILENT);
    return new ScriptSession(new ScriptFile(file, loads, false), paths);
  }

  private static ModelSession.OutputGradients seed(float... values) {
    return output -> List.of(Tensor.ofFloats(values, output.shape()));
  }

  @Test
  void relu_should_pass_back_only_what_is_positive_forward_and_backward() throws Exception {
    Tensor x = Tensor.ofFloats(new float[] {3, 0.5f, 2, 4}, 1, 4);
    try (ModelSession session = open(net(SOURCE), List.of("act"))) {
      ModelSession.OutputGradients seed = seed(1, 1, 1, -1);
      // h = [2, 0, 1, 3], so ∂o/∂h = 3 - 4 (h > 1.5) = [-1, 3, 3, -1]; times seed and x > 1.
      assertThat(session.inputGradient(List.of(x), 0, seed).toFloats())
          .containsExactly(-1, 0, 3, 1);
      // At relu(h - 1.5) arrives -4 seed = [-4, -4, -4, 4], clamped [0, 0, 0, 4], times h > 1.5
      // [0, 0, 0, 4]. With 3 seed = [3, 3, 3, -3] on the other way h gets [3, 3, 3, 1]; times x >
      // 1.
      for (int i = 0; i < 4; i++) { // the JIT specialises after the first runs
        assertThat(session.guidedInputGradient(List.of(x), 0, seed).toFloats())
            .containsExactly(3, 0, 3, 1);
      }
      assertThat(session.outputs(List.of(x)).get(0).toFloats()).containsExactly(4, 0, 3, 3);
    }
  }

  @Test
  void guided_gradient_should_be_the_plain_one_where_all_is_positive() throws Exception {
    Tensor x = Tensor.ofFloats(new float[] {3, 5, 7, 4}, 1, 4);
    String sum = SOURCE.replace("torch.sub(torch.mul(h, 3.), k)", "torch.add(torch.mul(h, 3.), k)");
    try (ModelSession session = open(net(sum), List.of("act"))) {
      // Every h > 1.5 and every weight positive: ∂o/∂x = 3 + 4.
      assertThat(session.guidedInputGradient(List.of(x), 0, seed(1, 2, 1, 1)).toFloats())
          .containsExactly(session.inputGradient(List.of(x), 0, seed(1, 2, 1, 1)).toFloats())
          .containsExactly(7, 14, 7, 7);
    }
  }

  @Test
  void guided_gradient_of_a_convolution_should_be_that_worked_out_by_hand() throws Exception {
    float[] pixels = new float[16];
    for (int i = 0; i < 16; i++) {
      pixels[i] = i;
    }
    Tensor input = Tensor.ofFloats(pixels, 1, 1, 4, 4);
    try (ModelSession session = open(ONE_CONV, List.of("relu1"))) {
      float[] zeros = new float[session.outputs(List.of(input)).get(0).toFloats().length];
      zeros[0] = 1;
      ModelSession.Pass pass = session.run(List.of(input), seed(zeros), false);
      LayerOutput relu = LayerOutput.parse("relu1");
      float[] a = pass.activations().get(relu).toFloats();
      float[] g = pass.gradients().get(0).get(relu).toFloats();
      float[] w = session.parameter("conv1.weight").orElseThrow().toFloats();
      float[] expected = new float[16];
      for (int c = 0; c < 2; c++) { // 2 filters of 3 x 3 over 4 x 4: 2 x 2 positions
        for (int at = 0; at < 4; at++) {
          float arrives = a[c * 4 + at] > 0 ? Math.max(g[c * 4 + at], 0) : 0;
          for (int k = 0; k < 9; k++) {
            expected[(at / 2 + k / 3) * 4 + at % 2 + k % 3] += arrives * w[c * 9 + k];
          }
        }
      }
      float[] found = session.guidedInputGradient(List.of(input), 0, seed(zeros)).toFloats();
      for (int i = 0; i < 16; i++) {
        assertThat(found[i]).isCloseTo(expected[i], within(1e-5f));
      }
      // The clamp has an effect: a negative gradient arrived at an open ReLU.
      assertThat(found)
          .isNotEqualTo(session.inputGradient(List.of(input), 0, seed(zeros)).toFloats());
    }
  }

  @Test
  void traced_scripted_and_inlined_text_should_give_one_gradient() throws Exception {
    assumeTrue(Files.isDirectory(REFERENCE), "no reference data in " + REFERENCE);
    Tensor input =
        Safetensors.read(REFERENCE.resolve("resnet_inlined.safetensors")).tensors().get("input");
    float[] before = null;
    for (String form : List.of("traced", "scripted", "inlined")) {
      Path file = REFERENCE.resolve("resnet_inlined." + form + ".pt");
      try (ModelSession session = open(file, List.of("."))) {
        float[] seed = new float[session.outputs(List.of(input)).get(0).toFloats().length];
        seed[1] = 1;
        float[] found = session.guidedInputGradient(List.of(input), 0, seed(seed)).toFloats();
        float[] plain = session.inputGradient(List.of(input), 0, seed(seed)).toFloats();
        assertThat(found).isNotEqualTo(plain).hasSameSizeAs(plain);
        if (before != null) {
          assertThat(found).as(form).isEqualTo(before);
        }
        before = found;
      }
    }
  }

  @Test
  void model_without_relu_should_be_refused() throws Exception {
    String silu =
        SOURCE.replace("torch.relu_(x)", "torch.silu_(x)").replace("torch.relu(", "torch.silu(");
    try (ModelSession session = open(net(silu), List.of("act"))) {
      Tensor x = Tensor.ofFloats(new float[4], 1, 4);
      assertThatThrownBy(() -> session.guidedInputGradient(List.of(x), 0, seed(1, 1, 1, 1)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage(
              "net.pt: guided backpropagation needs ReLUs (relu, clamp or threshold at 0), and"
                  + " forward reaches none; what it has is not guided: [silu]");
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "torch.relu_(X)",
        "torch.clamp_min(X, 0)",
        "torch.clamp_min_(X, 0.)",
        "torch.clamp(X, 0)",
        "torch.clamp(X, 0., None)",
        "torch.clamp_(X, 0, None)",
        "torch.threshold(X, 0., 0.)",
        "torch.threshold_(X, 0, 0)"
      })
  void every_way_to_write_a_relu_should_be_guided(String relu) throws Exception {
    Tensor x = Tensor.ofFloats(new float[] {3, 0.5f, 2, 4}, 1, 4);
    String source =
        SOURCE.replace("torch.relu(torch.sub(h, 1.5))", relu.replace("X", "torch.sub(h, 1.5)"));
    assertThat(source.contains(relu.substring(0, relu.indexOf('(')))).isTrue();
    try (ModelSession session = open(net(source), List.of("act"))) {
      // As above: the clamp after this ReLU takes [-4, -4, -4, 4] to [0, 0, 0, 4].
      assertThat(session.guidedInputGradient(List.of(x), 0, seed(1, 1, 1, -1)).toFloats())
          .containsExactly(3, 0, 3, 1);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "torch.hardtanh(X, 0., 6.)",
        "torch.clamp(X, 0., 6.)",
        "torch.clamp_min(X, 0.25)",
        "torch.leaky_relu(X, 0.01)",
        "torch.threshold(X, 0., -1.)"
      })
  void other_rectifier_should_keep_its_gradient_and_be_named_where_there_are_no_others(String other)
      throws Exception {
    Tensor x = Tensor.ofFloats(new float[] {3, 0.5f, 2, 4}, 1, 4);
    String mixed =
        SOURCE.replace("torch.relu(torch.sub(h, 1.5))", other.replace("X", "torch.sub(h, 1.5)"));
    try (ModelSession session = open(net(mixed), List.of("act"))) {
      // h = [2, 0, 1, 3]; what arrives at h is 3 seed and, where the other one is open, -4 seed:
      // [-1, ., 3, 1], clamped at the ReLU before it.
      float[] found = session.guidedInputGradient(List.of(x), 0, seed(1, 1, 1, -1)).toFloats();
      assertThat(found[0]).isZero();
      assertThat(found[3]).isEqualTo(1);
    }
    String alone =
        SOURCE
            .replace("torch.relu(torch.sub(h, 1.5))", other.replace("X", "torch.sub(h, 1.5)"))
            .replace("torch.relu_(x)", "torch.neg(x)")
            .replace("torch.relu(x)", "torch.neg(x)");
    String name = other.substring("torch.".length(), other.indexOf('('));
    try (ModelSession session = open(net(alone), List.of("act"))) {
      assertThatThrownBy(() -> session.guidedInputGradient(List.of(x), 0, seed(1, 1, 1, 1)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageEndingWith("what it has is not guided: [" + name + "]");
    }
  }
}
