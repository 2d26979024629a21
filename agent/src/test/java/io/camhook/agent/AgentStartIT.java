package io.camhook.agent;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How the agent starts, and how it stays out of the way when it cannot. */
class AgentStartIT {
  private static final String BAD =
      """
      models:
        - name: m
          layer: [layer4]
      sampling: { rate: 2 }
      """;

  @TempDir Path directory;

  @Test
  void bad_file_should_leave_the_application_running_without_the_agent() throws Exception {
    Files.writeString(directory.resolve("camhook.yaml"), BAD);
    ForkedJvm.Result result = run("camhook.yaml");

    assertThat(result.status()).isZero();
    assertThat(result.out()).isEqualTo("hello\n");
    assertThat(result.err().lines())
        .containsExactly(
            "camhook: 2 errors in the configuration; the application runs without camhook",
            "  camhook.yaml:3:5: models[0].layer: no such key; nearest is \"layers\"; expected"
                + " name, layers, capture, target, labels, hooks, output, classAxis, class, root,"
                + " forward, backward, input, gradOutput, gradInput, value, shape, make, arguments,"
                + " inputShape, precision, reduce",
            "  camhook.yaml:4:19: sampling.rate: expected a number from 0 to 1, found \"2\"");
  }

  @Test
  void bad_file_should_stop_the_jvm_with_status_2_under_onError_exit() throws Exception {
    Files.writeString(directory.resolve("camhook.yaml"), BAD);
    ForkedJvm.Result result = run("config=camhook.yaml,onError=exit");

    assertThat(result.status()).isEqualTo(2);
    assertThat(result.out()).isEmpty();
    assertThat(result.err())
        .startsWith("camhook: 2 errors in the configuration; exit, because onError=exit\n");
  }

  @Test
  void missing_file_should_be_one_clear_line() throws Exception {
    ForkedJvm.Result result = run("nowhere.yaml");

    assertThat(result.status()).isZero();
    assertThat(result.out()).isEqualTo("hello\n");
    assertThat(result.err())
        .isEqualTo(
            "camhook: 1 error in the configuration; the application runs without camhook\n"
                + "  nowhere.yaml: no such file, looked for "
                + directory.toRealPath().resolve("nowhere.yaml")
                + "\n");
  }

  /**
   * In processor time: on an idle machine it equals the elapsed time, and load does not add to it.
   */
  @Test
  void agent_should_say_what_it_waits_for_and_start_in_half_a_second_where_no_model_is()
      throws Exception {
    Files.writeString(
        directory.resolve("camhook.yaml"), "models: [{ name: resnet18, layers: [layer4] }]");
    long added = Long.MAX_VALUE;
    for (int i = 0; i < 3; i++) {
      ForkedJvm.Result plain =
          new ForkedJvm(directory).run(ForkedJvm.applications(), "app.Hello", "time");
      ForkedJvm.Result attached =
          new ForkedJvm(directory)
              .agent("camhook.yaml")
              .run(ForkedJvm.applications(), "app.Hello", "time");
      assertThat(attached.err().lines())
          .satisfiesExactly(
              line ->
                  assertThat(line)
                      .matches(
                          "camhook: version \\S+ waits for resnet18; captures go to captures/.*"),
              line ->
                  assertThat(line)
                      .isEqualTo(
                          "camhook: model resnet18: no model of that name, file or class was"
                              + " used"));
      assertThat(attached.status()).isZero();
      added = Math.min(added, millis(attached) - millis(plain));
    }
    System.out.println("premain adds " + added + " ms of processor time");
    assertThat(added).isLessThan(500);
  }

  private static long millis(ForkedJvm.Result result) {
    return Long.parseLong(result.out().lines().skip(1).findFirst().orElseThrow());
  }

  @Test
  void byte_buddy_should_not_be_loaded_where_no_model_is() throws Exception {
    Files.writeString(
        directory.resolve("camhook.yaml"), "models: [{ name: resnet18, layers: [layer4] }]");
    ForkedJvm.Result result =
        new ForkedJvm(directory)
            .agent("camhook.yaml")
            .jvm("-Xlog:class+load:file=classes.txt")
            .run(ForkedJvm.applications(), "app.Hello");

    assertThat(result.status()).isZero();
    assertThat(directory.resolve("classes.txt"))
        .content()
        .contains("io.camhook.agent.CamhookAgent")
        .doesNotContain("io.camhook.agent.shaded.bytebuddy");
  }

  private ForkedJvm.Result run(String options) throws Exception {
    return new ForkedJvm(directory).agent(options).run(ForkedJvm.applications(), "app.Hello");
  }
}
