package io.camhook.agent.weave;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Model;
import ai.djl.inference.Predictor;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.pytorch.jni.JniUtils;
import io.camhook.ForwardHook;
import io.camhook.HookHandle;
import io.camhook.Hooks;
import io.camhook.config.CamhookConfig.Target;
import io.camhook.recording.Capture;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Archives whose instrumented copy the engine refuses, because one of their variables has the name
 * of a parameter of twins, but another type.
 */
class ScriptRefusalTest {
  private static final String FOR_HOOKS = "camhook_wanted";
  private static final String FOR_TAPS = "camhook_grad";
  private static final String FOR_BOTH = "camhook_taps";

  @TempDir Path directory;
  private final List<String> seen = new ArrayList<>();

  @ParameterizedTest
  @EnumSource(ScriptLoading.class)
  void refused_methods_for_hooks_should_leave_captures(ScriptLoading loading) throws Exception {
    Path file = archive(FOR_HOOKS);
    try (WovenDjl djl = new WovenDjl(WovenDjl.capturing(Target.TOP1, "part"));
        Model model = loading.load(file)) {
      checkMessage(
          djl,
          "refused by the engine with the methods for hooks",
          "model net is loaded without hooks inside: the engine does not take the methods for"
              + " hooks: ");
      assertThatThrownBy(() -> Hooks.registerForwardHook(model, "part", note()))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage(
              "'part' is inside a TorchScript model: the engine does not take the methods for"
                  + " hooks");
      predict(model);
      assertThat(layers(djl)).containsExactly("part");
      assertThat(djl.failures).isEmpty();
    }
  }

  @ParameterizedTest
  @EnumSource(ScriptLoading.class)
  void refused_methods_that_record_should_leave_hooks(ScriptLoading loading) throws Exception {
    Path file = archive(FOR_TAPS);
    try (WovenDjl djl = new WovenDjl(WovenDjl.capturing(Target.TOP1, "part"));
        Model model = loading.load(file);
        HookHandle handle = Hooks.registerForwardHook(model, "part", note())) {
      checkMessage(
          djl,
          "refused by the engine with the methods that record",
          "model net is loaded without captures of its layers: the engine does not take the methods"
              + " that record: ");
      predict(model);
      assertThat(seen).containsExactly("part");
      assertThat(layers(djl)).isEmpty();
      assertThat(djl.failures).isEmpty();
    }
  }

  @ParameterizedTest
  @EnumSource(ScriptLoading.class)
  void archive_of_which_both_are_refused_should_run_as_it_came(ScriptLoading loading)
      throws Exception {
    Path file = archive(FOR_BOTH);
    try (WovenDjl djl = new WovenDjl(WovenDjl.capturing(Target.TOP1, "part"));
        Model model = loading.load(file)) {
      checkMessage(
          djl,
          "refused by the engine with either",
          "model net is loaded without hooks: the engine does not take the instrumented archive: ");
      assertThat(JniUtils.getMethodNames((ai.djl.pytorch.engine.PtSymbolBlock) model.getBlock()))
          .containsExactly("forward");
      predict(model);
      assertThat(layers(djl)).isEmpty();
      assertThat(djl.failures).isEmpty();
    }
  }

  @Test
  void copies_that_were_tried_should_be_deleted() throws Exception {
    Path file = archive(FOR_BOTH);
    Path temporary = Path.of(System.getProperty("java.io.tmpdir"));
    try (WovenDjl djl = new WovenDjl(WovenDjl.capturing(Target.TOP1, "part"))) {
      List<Path> before = copies(temporary);
      ScriptLoading.STREAM.load(file).close();
      assertThat(copies(temporary)).isSubsetOf(before);
    }
  }

  private static List<Path> copies(Path folder) throws Exception {
    try (var files = Files.list(folder)) {
      return files
          .filter(file -> file.getFileName().toString().matches("camhook-.*|net\\.pt.*"))
          .toList();
    }
  }

  private static void checkMessage(WovenDjl djl, String row, String start) throws Exception {
    assertThat(djl.messages).hasSize(1);
    assertThat(djl.messages.get(0)).startsWith(start).contains("camhook_");
    RefusalTable.assertSays(row, djl.messages);
  }

  private static List<String> layers(WovenDjl djl) {
    List<Capture> captures = djl.captured();
    assertThat(captures).hasSize(1);
    return captures.get(0).layers().stream().map(Object::toString).toList();
  }

  private ForwardHook<Block, NDList> note() {
    return (block, path, inputs, outputs) -> {
      assertThat(outputs.head().toFloatArray()).containsExactly(1, 0, 3, 0);
      seen.add(path);
      return null;
    };
  }

  /** relu(x) + 1, through a variable with a name of camhook's. */
  private Path archive(String variable) throws Exception {
    String body =
        """
            part = self.part
            y = (part).forward(x, )
            if torch.gt(torch.len(torch.size(x)), 0):
              VARIABLE = torch.add(y, 1.)
              z = VARIABLE
            else:
              z = y
            return z
        """
            .replace("VARIABLE", variable);
    String part = "    return torch.relu(x)\n";
    return SourceArchive.write(
        directory.resolve("net.pt"), SourceArchive.source("Tensor", part) + body);
  }

  private static void predict(Model model) throws Exception {
    try (NDManager manager = NDManager.newBaseManager("PyTorch");
        Predictor<NDList, NDList> predictor = model.newPredictor(Nets.unbatched())) {
      NDList input = new NDList(manager.create(new float[] {1, -2, 3, 0}, new Shape(1, 4)));
      assertThat(predictor.predict(input).head().toFloatArray()).containsExactly(2, 1, 4, 1);
    }
  }
}
