package io.camhook.djl.pass;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.pytorch.engine.PtSymbolBlock;
import ai.djl.pytorch.jni.JniUtils;
import io.camhook.recording.Tensor;
import io.camhook.torchscript.ScriptedArchive;
import io.camhook.torchscript.TorchScriptArchive;
import io.camhook.torchscript.twin.InstrumentedArchive;
import io.camhook.torchscript.twin.TapPlan;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Archives of kinds that the reference lacks, instrumented and run. */
class LoadedFormatsTest {
  private static final String HEAD =
      """
        __parameters__ = []
        __buffers__ = []
        training : bool
      """;

  @TempDir Path temp;

  private static String module(String name, String rest) {
    return "class " + name + "(Module):\n" + HEAD + rest.indent(2);
  }

  private static String forward(String type, String result, String body) {
    return """
    def forward(self: __torch__.nets.%s,
      x: Tensor) -> %s:
    """
            .formatted(type, result)
        + body.indent(2);
  }

  @Test
  void module_behind_an_interface_should_be_recorded() throws Exception {
    String source =
        """
        class Part(ModuleInterface):
          def forward(self, x: Tensor) -> Tensor:
            pass
        """
            + module("Twice", forward("Twice", "Tensor", "return torch.mul(x, 2)"))
            + module(
                "Net",
                "part : __torch__.nets.Part\n"
                    + forward(
                        "Net",
                        "Tensor",
                        "part = self.part\nreturn torch.add((part).forward(x, ), 1)"));
    ScriptedArchive.Module net =
        new ScriptedArchive.Module("__torch__.nets.Net")
            .with("part", new ScriptedArchive.Module("__torch__.nets.Twice"));
    Path file =
        new ScriptedArchive().source("__torch__/nets.py", source).write(temp.resolve("n.pt"), net);
    try (TorchRun run = new TorchRun()) {
      JniUtils.setGradMode(true);
      RecordedRun pass = pass(file, List.of("part"), run, false);
      assertThat(pass.taps().get(0).toFloatArray()).containsExactly(2, -4, 6);
      assertThat(pass.outputs().head().toFloatArray()).containsExactly(3, -3, 7);
    }
  }

  @Test
  void module_called_in_a_loop_should_record_each_call() throws Exception {
    String source =
        module("Twice", forward("Twice", "Tensor", "return torch.mul(x, 2)"))
            + module(
                "Net",
                "again : __torch__.nets.Twice\n"
                    + forward(
                        "Net",
                        "Tensor",
                        """
                        again = self.again
                        y = x
                        for i in range(3):
                          y = (again).forward(y, )
                        return y
                        """));
    ScriptedArchive.Module net =
        new ScriptedArchive.Module("__torch__.nets.Net")
            .with("again", new ScriptedArchive.Module("__torch__.nets.Twice"));
    Path file =
        new ScriptedArchive().source("__torch__/nets.py", source).write(temp.resolve("l.pt"), net);
    try (TorchRun run = new TorchRun()) {
      JniUtils.setGradMode(true);
      RecordedRun pass = pass(file, List.of("again"), run, false);
      assertThat(pass.labels().stream().map(TapPlan.Label::toString))
          .containsExactly("again", "again#1", "again#2");
      assertThat(pass.taps().get(1).toFloatArray()).containsExactly(4, -8, 12);
    }
  }

  @Test
  void twin_should_follow_training_mode_as_the_original_does() throws Exception {
    String source =
        module(
                "Drop",
                forward(
                    "Drop",
                    "Tensor",
                    """
                    if self.training:
                      y = torch.mul(x, 10)
                    else:
                      y = x
                    return y
                    """))
            + module(
                "Net",
                "drop : __torch__.nets.Drop\n"
                    + forward("Net", "Tensor", "drop = self.drop\nreturn (drop).forward(x, )"));
    ScriptedArchive.Module net =
        new ScriptedArchive.Module("__torch__.nets.Net")
            .with("drop", new ScriptedArchive.Module("__torch__.nets.Drop"));
    Path file =
        new ScriptedArchive().source("__torch__/nets.py", source).write(temp.resolve("t.pt"), net);
    try (TorchRun run = new TorchRun()) {
      JniUtils.setGradMode(true);
      assertThat(pass(file, List.of("drop"), run, false).taps().get(0).toFloatArray())
          .containsExactly(1, -2, 3);
      assertThat(pass(file, List.of("drop"), run, true).taps().get(0).toFloatArray())
          .containsExactly(10, -20, 30);
    }
  }

  @Test
  void trace_of_torch_1_should_be_recorded_and_keep_its_extra_files() throws Exception {
    // torch 1.4 to 1.7 wrote _convolution with twelve arguments, and neither byteorder nor
    // serialization_id; torch 2.7 still reads that.
    String source =
        module(
                "Conv2d",
                forward(
                    "Conv2d",
                    "Tensor",
                    """
                    w = torch.ones([1, 1, 2, 2], dtype=6, layout=0, device=torch.device("cpu"), pin_memory=False)
                    _0 = torch._convolution(x, w, None, [1, 1], [0, 0], [1, 1], False, [0, 0], 1, False, False, True)
                    return _0
                    """))
            + module(
                "Net",
                "__annotations__[\"0\"] = __torch__.nets.Conv2d\n"
                    + forward(
                        "Net",
                        "Tensor",
                        "_0 = getattr(self, \"0\")\nreturn torch.relu_((_0).forward(x, ))"));
    ScriptedArchive.Module net =
        new ScriptedArchive.Module("__torch__.nets.Net")
            .with("0", new ScriptedArchive.Module("__torch__.nets.Conv2d"));
    Path file =
        new ScriptedArchive()
            .source("__torch__/nets.py", source)
            .file("extra/labels.txt", "cat\ndog\n")
            .write(temp.resolve("old.pt"), net);
    InstrumentedArchive instrumented = TorchScriptArchive.open(file).instrument(List.of("0"));
    Path copy = temp.resolve("copy.pt");
    instrumented.write(copy);
    try (TorchRun run = new TorchRun()) {
      JniUtils.setGradMode(true);
      String[] extra = {"labels.txt"};
      String[] text = {""};
      PtSymbolBlock block = JniUtils.loadModule(run.manager, copy, false, extra, text, true);
      assertThat(text[0]).isEqualTo("cat\ndog\n");
      NDList input = new NDList(run.array(Tensor.ofFloats(new float[] {1, 2, -3, -4}, 1, 1, 2, 2)));
      RecordedRun pass =
          RecordedRun.run(block, instrumented.plan(), input, true, true, run.manager);
      // 1 + 2 - 3 - 4, before relu_ works in place
      assertThat(pass.taps().get(0).toFloatArray()).containsExactly(-4);
      assertThat(pass.outputs().head().toFloatArray()).containsExactly(0);
    }
  }

  private RecordedRun pass(Path file, List<String> paths, TorchRun run, boolean training)
      throws Exception {
    InstrumentedArchive instrumented = TorchScriptArchive.open(file).instrument(paths);
    Path copy = temp.resolve("copy.pt");
    instrumented.write(copy);
    PtSymbolBlock block = run.load(copy);
    if (training) {
      JniUtils.enableTrainingMode(block);
    }
    NDArray x = run.array(Tensor.ofFloats(new float[] {1, -2, 3}, 1, 3));
    NDList input = new NDList(x);
    RecordedRun pass = RecordedRun.run(block, instrumented.plan(), input, true, true, run.manager);
    assertThat(run.values(run.plain(block, List.of((ai.djl.pytorch.engine.PtNDArray) x))).get(0))
        .isEqualTo(pass.outputs().head().toFloatArray());
    return pass;
  }
}
