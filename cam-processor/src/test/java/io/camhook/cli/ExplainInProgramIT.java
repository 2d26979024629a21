package io.camhook.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.camhook.explain.OneConv;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code Explainer} in a program, with the packaged agent and without. */
class ExplainInProgramIT {
  /** As worked out in ExplainCommandTest: A0 - A1 / 2. */
  private static final String ARCHIVE_MAP = "[0.0, 4.0, 28.0, 32.5]\n";

  @TempDir Path folder;

  private Invocation run(List<String> jvmOptions, Object... arguments) throws Exception {
    List<String> all = new ArrayList<>(jvmOptions);
    all.addAll(
        List.of(
            "--enable-native-access=ALL-UNNAMED", // DJL's libraries, of which newer JDKs warn
            "-Dai.djl.offline=true",
            "-DOPT_OUT_TRACKING=true",
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
            "-cp",
            System.getProperty("java.class.path"),
            "app.ExplainInProgram"));
    for (Object argument : arguments) {
      all.add(argument.toString());
    }
    return PackagedCommand.ended(PackagedCommand.java(folder, all));
  }

  private List<String> agent() throws Exception {
    Path yaml =
        Files.writeString(
            folder.resolve("camhook.yaml"),
            """
            models:
              - name: "*"
                layers: [conv1]
            output: { directory: %s }
            """
                .formatted(folder.resolve("captures")));
    return List.of("-javaagent:" + System.getProperty("camhook.agent.jar") + "=" + yaml);
  }

  @Test
  void archive_should_be_explained_without_the_agent() throws Exception {
    assertThat(run(List.of(), OneConv.model(folder))).isEqualTo(new Invocation(0, ARCHIVE_MAP, ""));
  }

  @Test
  void archive_should_be_explained_by_the_agent_and_not_captured() throws Exception {
    Invocation run = run(agent(), OneConv.model(folder));
    assertExplained(run, ARCHIVE_MAP);
    assertThat(folder.resolve("captures")).doesNotExist();
  }

  @Test
  void blocks_should_be_explained_by_the_agent() throws Exception {
    // Windows of ones and a bias of 1: 46 55 82 91; the gradient is 1 at the first of four, so the
    // weight is 1/4.
    assertExplained(run(agent()), "[11.5, 13.75, 20.5, 22.75]\n");
  }

  /**
   * The agent says what it waits for, and that no request came: explaining does not count as one.
   */
  private static void assertExplained(Invocation run, String map) {
    assertThat(run.status()).as(run.err()).isZero();
    assertThat(run.out()).isEqualTo(map);
    assertThat(run.err().lines())
        .satisfiesExactly(
            first -> assertThat(first).contains(" waits for *; captures go to "),
            second ->
                assertThat(second)
                    .isEqualTo("camhook: model *: no model of that name, file or class was used"));
  }

  @Test
  void blocks_should_need_the_agent() throws Exception {
    Invocation run = run(List.of());
    assertThat(run.status()).isEqualTo(1);
    assertThat(run.err())
        .contains(
            "IllegalStateException: hooks need the camhook agent: start the JVM with"
                + " -javaagent:camhook-agent.jar");
  }
}
