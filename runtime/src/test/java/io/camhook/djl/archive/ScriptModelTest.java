package io.camhook.djl.archive;

import static org.assertj.core.api.Assertions.assertThat;

import io.camhook.dispatch.EventLog;
import io.camhook.torchscript.twin.HookPlan;
import io.camhook.torchscript.twin.TapPlan;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ScriptModelTest {
  private static final Path ONE_CONV =
      Path.of("src/test/resources/torchscript/one_conv.scripted.pt");

  @TempDir Path temp;

  private final List<String> warnings = new ArrayList<>();
  private final EventLog log =
      new EventLog() {
        @Override
        public void info(String message) {}

        @Override
        public void warn(String message) {
          warnings.add(message);
        }

        @Override
        public void failure(String message, Throwable cause) {
          warnings.add(message);
        }
      };

  @Test
  void layers_should_be_globs_and_auto() throws Exception {
    ScriptModel model =
        Objects.requireNonNull(ScriptModel.of(ONE_CONV, List.of("conv*", "auto"), null, log));
    assertThat(Objects.requireNonNull(model.plan()).taps().stream().map(TapPlan.Tap::path))
        .containsExactly("conv1", "relu1");
    assertThat(warnings).isEmpty();
    Files.delete(Objects.requireNonNull(model.file()));
  }

  @Test
  void unknown_layer_should_be_one_warning_and_leave_the_others_to_hooks() throws Exception {
    ScriptModel model =
        Objects.requireNonNull(ScriptModel.of(ONE_CONV, List.of("convl"), null, log));
    assertThat(model.plan()).isNull();
    assertThat(model.hooks().sites().stream().map(HookPlan.Site::path))
        .containsExactly("./add", "conv1", "relu1", "./view", "fc1", "relu2");
    Files.delete(Objects.requireNonNull(model.file()));
    assertThat(warnings).hasSize(1);
    assertThat(warnings.get(0)).contains("no module 'convl'").contains("conv1");
  }

  @Test
  void damaged_archive_should_be_one_warning() throws Exception {
    byte[] bytes = Files.readAllBytes(ONE_CONV);
    Path cut = Files.write(temp.resolve("cut.pt"), java.util.Arrays.copyOf(bytes, 5000));
    assertThat(ScriptModel.of(cut, List.of("*"), null, log)).isNull();
    assertThat(warnings)
        .containsExactly(
            "model is loaded without hooks: cut.pt: no end-of-directory record: the file is not a"
                + " zip, or it is truncated");
  }
}
