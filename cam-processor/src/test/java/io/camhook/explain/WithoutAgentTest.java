package io.camhook.explain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.camhook.Hooks;
import io.camhook.dispatch.Dispatch;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WithoutAgentTest {
  @TempDir Path folder;

  @Test
  void explained_archive_should_not_make_hooks_believe_in_an_agent() throws Exception {
    try (Explainer explainer = Explainer.load(OneConv.model(folder), List.of("relu1"))) {
      Explained explained = explainer.record(ModelInput.of("ramp", OneConv.input()));
      assertThat(explained.activations()).hasSize(1);
      assertThat(Dispatch.installed()).isFalse();
      assertThatThrownBy(Hooks::requireAgent)
          .isInstanceOf(IllegalStateException.class)
          .hasMessageStartingWith("hooks need the camhook agent");
    }
  }
}
