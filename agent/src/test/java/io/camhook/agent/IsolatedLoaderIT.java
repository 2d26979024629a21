package io.camhook.agent;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Programs whose class loader does not see the agent: they run unchanged, and one line says so;
 * with {@code bootstrap=true} they are captured like others.
 */
class IsolatedLoaderIT {
  private static final String YAML =
      """
      models:
        - { name: tiny, layers: [03Conv2d] }
        - { name: stack, class: app.nn.Scale, root: app.nn.Stack, layers: ["layers.*"], target: none, capture: [activation, output] }
      output: { directory: captures }
      """;

  @TempDir Path directory;

  @BeforeEach
  void layOut() throws Exception {
    Files.writeString(directory.resolve("camhook.yaml"), YAML);
    Path launcher = Files.createDirectories(directory.resolve("launcher/app"));
    try (var files = Files.list(Path.of(ForkedJvm.applications(), "app"))) {
      for (Path file : files.filter(f -> f.toString().contains("Isolated")).toList()) {
        Files.copy(file, launcher.resolve(file.getFileName()));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"app.RunPlain", "app.Predict"})
  void isolated_program_should_run_as_it_is_and_be_told_of_bootstrap(String program)
      throws Exception {
    for (String kind : new String[] {"platform", "bundle"}) {
      ForkedJvm.Result plain = run(new ForkedJvm(directory), kind, program);
      ForkedJvm.Result result = run(new ForkedJvm(directory).agent("camhook.yaml"), kind, program);
      assertThat(result.out()).isEqualTo(plain.out()).isNotEmpty();
      assertThat(result.status()).isZero();
      assertThat(result.err())
          .contains(
              "are not instrumented: the loader does not see the agent's classes; give the agent"
                  + " bootstrap=true")
          .doesNotContain("\tat ");
      assertThat(directory.resolve("captures")).doesNotExist();
    }
  }

  @ParameterizedTest
  @CsvSource({
    "app.RunPlain, platform, 3",
    "app.RunPlain, delegating, 3",
    "app.Predict, platform, 8",
    "app.Predict, delegating, 8"
  })
  void isolated_program_should_be_captured_with_bootstrap(String program, String kind, int captures)
      throws Exception {
    ForkedJvm.Result plain = run(new ForkedJvm(directory), kind, program);
    ForkedJvm.Result result =
        run(new ForkedJvm(directory).agent("config=camhook.yaml,bootstrap=true"), kind, program);
    assertThat(result.err())
        .contains("camhook: %d of %d captures written to captures".formatted(captures, captures))
        .doesNotContain("\tat ");
    assertThat(result.out()).isEqualTo(plain.out()).isNotEmpty();
    assertThat(result.status()).isZero();
  }

  /** A framework that does not delegate needs its own setting; there are no other messages. */
  @ParameterizedTest
  @ValueSource(strings = {"app.RunPlain", "app.Predict"})
  void bundle_that_does_not_delegate_should_be_left_also_with_bootstrap(String program)
      throws Exception {
    ForkedJvm.Result plain = run(new ForkedJvm(directory), "bundle", program);
    ForkedJvm.Result result =
        run(
            new ForkedJvm(directory).agent("config=camhook.yaml,bootstrap=true"),
            "bundle",
            program);
    assertThat(result.out()).isEqualTo(plain.out()).isNotEmpty();
    assertThat(result.err())
        .contains("org.osgi.framework.bootdelegation=io.camhook.*")
        .doesNotContain("\tat ");
  }

  private ForkedJvm.Result run(ForkedJvm jvm, String kind, String program) throws Exception {
    return jvm.run(
        directory.resolve("launcher").toString(),
        "app.Isolated",
        kind,
        ForkedJvm.applications() + File.pathSeparator + ForkedJvm.engine(),
        program);
  }
}
