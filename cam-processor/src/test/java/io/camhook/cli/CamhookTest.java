package io.camhook.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CamhookTest {
  @TempDir Path folder;

  @Test
  void help_should_list_the_commands() {
    Invocation run = Invocation.of("--help");
    assertThat(run.status()).isZero();
    assertThat(run.out()).contains("demo", "process", "report", "verify", "Exit status");
    assertThat(run.err()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"demo", "process", "report", "verify"})
  void help_of_a_command_should_end_well(String command) {
    Invocation run = Invocation.of(command, "--help");
    assertThat(run.status()).isZero();
    assertThat(run.out()).startsWith("Usage: camhook " + command);
  }

  @Test
  void version_should_be_printed() {
    Invocation run = Invocation.of("--version");
    assertThat(run.status()).isZero();
    assertThat(run.out())
        .startsWith("camhook ")
        .contains("Java " + System.getProperty("java.version"));
  }

  @Test
  void missing_command_should_be_wrong_usage() {
    Invocation run = Invocation.of();
    assertThat(run.status()).isEqualTo(2);
    assertThat(run.err()).isEqualTo("camhook: a command is missing\nTry 'camhook --help'.\n");
  }

  @Test
  void misspelt_command_should_be_wrong_usage_and_name_the_nearest() {
    Invocation run = Invocation.of("reprot");
    assertThat(run.status()).isEqualTo(2);
    assertThat(run.err())
        .contains("Unmatched argument at index 0: 'reprot'")
        .contains("camhook report");
  }

  @Test
  void missing_option_should_be_wrong_usage() {
    Invocation run = Invocation.of("process", "somewhere");
    assertThat(run.status()).isEqualTo(2);
    assertThat(run.err()).contains("--output").contains("Try 'camhook process --help'.");
  }

  @ParameterizedTest
  @ValueSource(strings = {"process", "report"})
  void unknown_method_should_be_wrong_usage_and_name_the_nearest(String command) {
    Invocation run = Invocation.of(command, folder, "-m", "gradcan", "-o", folder.resolve("x"));
    assertThat(run.status()).isEqualTo(2);
    assertThat(run.err()).startsWith("camhook: no CAM method 'gradcan'; did you mean [gradcam");
  }

  @ParameterizedTest
  @ValueSource(strings = {"process", "report", "verify"})
  void missing_recording_should_fail_in_one_line(String command) {
    Path nowhere = folder.resolve("nowhere");
    Invocation run =
        command.equals("verify")
            ? Invocation.of(command, nowhere)
            : Invocation.of(command, nowhere, "-o", folder.resolve("out"));
    assertThat(run.status()).isEqualTo(1);
    assertThat(run.err()).startsWith("camhook: " + nowhere).hasLineCount(1);
    assertThat(run.out()).isEmpty();
  }

  @Test
  void demo_without_its_build_should_say_what_is_missing() {
    String home = System.getProperty("camhook.home");
    System.setProperty("camhook.home", folder.toString());
    try {
      Invocation run = Invocation.of("demo", "-o", folder.resolve("out"));
      assertThat(run.status()).isEqualTo(1);
      assertThat(run.err())
          .isEqualTo(
              "camhook: %s is missing; build it with: mvn -q -DskipTests package\n"
                  .formatted(folder.resolve("agent/target/camhook-agent.jar")));
    } finally {
      if (home == null) {
        System.clearProperty("camhook.home");
      } else {
        System.setProperty("camhook.home", home);
      }
    }
  }
}
