package io.camhook.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The script at the top level, in a separate checkout, with a {@code PATH} chosen by the test. */
class LauncherTest {
  private static final Path SCRIPT = Path.of("..", "camhook");
  private static final List<String> TOOLS =
      List.of("dirname", "find", "head", "mkdir", "readlink", "sed", "touch", "cat", "uname");

  @TempDir Path folder;
  private Path home;
  private Path bin;

  @BeforeEach
  void check_out() throws IOException {
    Assumptions.assumeTrue(
        Files.isExecutable(Path.of("/bin/bash")), "no bash: the launcher is a bash script");
    home = Files.createDirectories(folder.resolve("check out"));
    bin = Files.createDirectories(folder.resolve("bin"));
    Files.copy(SCRIPT, home.resolve("camhook"));
    for (String tool : TOOLS) {
      program(tool, "exec $(PATH=/usr/bin:/bin command -v " + tool + ") \"$@\"");
    }
  }

  @Test
  void missing_java_should_be_said() throws Exception {
    assertThat(launch())
        .isEqualTo(
            new Invocation(
                1, "", "camhook: no java found; install a JDK from 17 on or set JAVA_HOME\n"));
  }

  @Test
  void old_java_should_be_said() throws Exception {
    program("java", "echo 'openjdk version \"11.0.2\" 2019-01-15' >&2");
    Invocation run = launch();
    assertThat(run.status()).isEqualTo(1);
    assertThat(run.err())
        .isEqualTo("camhook: " + bin.resolve("java") + " is version 11, expected 17 or newer\n");
  }

  @Test
  void missing_maven_should_be_said_when_there_is_something_to_build() throws Exception {
    program("java", "echo 'openjdk version \"17.0.15\" 2025-04-15' >&2");
    Files.createDirectories(home.resolve("cam-processor/src/main"));
    assertThat(launch().err())
        .isEqualTo("camhook: not built yet, and no mvn found; install Maven\n");
  }

  @Test
  void failed_build_should_be_said() throws Exception {
    program("java", "echo 'openjdk version \"17.0.15\" 2025-04-15' >&2");
    program("mvn", "echo 'no such thing' >&2; exit 1");
    Files.createDirectories(home.resolve("cam-processor/src/main"));
    Invocation run = launch();
    assertThat(run.status()).isEqualTo(1);
    assertThat(run.err())
        .contains("no such thing")
        .endsWith("camhook: the build failed; see above, or run: mvn -DskipTests package\n");
  }

  @Test
  void command_should_be_built_once_and_given_its_arguments() throws Exception {
    buildable("Linux", "x86_64");
    Invocation first = launch("report", "a b", "-o", "r.html");
    assertThat(first.status()).isZero();
    assertThat(first.err()).startsWith("camhook: building");
    assertThat(first.out())
        .contains(
            "<-Dai.djl.offline=true>",
            "<-Dcamhook.home=" + home + ">",
            "<-Dcamhook.terminal=false>")
        .endsWith("<report>\n<a b>\n<-o>\n<r.html>\n");
    Invocation second = launch("report");
    assertThat(second.err()).isEmpty();
    assertThat(home.resolve("build.log")).content().hasLineCount(1);
  }

  @ParameterizedTest
  @CsvSource({
    "Linux, x86_64, linux-x86_64",
    "Linux, aarch64, linux-aarch64",
    "Darwin, arm64, osx-aarch64",
    "MINGW64_NT-10.0-22631, x86_64, win-x86_64"
  })
  void natives_of_the_platform_should_be_built_in(String system, String machine, String natives)
      throws Exception {
    buildable(system, machine);
    assertThat(launch("report").err()).startsWith("camhook: building").hasLineCount(1);
    assertThat(home.resolve("build.log")).hasContent(natives);
  }

  @Test
  void checkout_that_another_platform_has_built_should_be_built_again() throws Exception {
    buildable("Darwin", "arm64");
    launch("report");
    buildable("Linux", "x86_64");
    launch("report");
    launch("report");
    assertThat(home.resolve("build.log")).hasContent("osx-aarch64\nlinux-x86_64");
  }

  @Test
  void platform_without_natives_should_be_said_and_not_keep_the_rest_from_working()
      throws Exception {
    buildable("Darwin", "x86_64");
    Invocation run = launch("report");
    assertThat(run.status()).isZero();
    assertThat(run.err())
        .startsWith(
            "camhook: PyTorch has no natives for osx-x86_64: demo, explain and layers --input-shape"
                + " will not run\n");
    assertThat(home.resolve("build.log")).hasContent("linux-x86_64");
  }

  /** A checkout, a machine as described by {@code uname}, a Java that prints and a Maven. */
  private void buildable(String system, String machine) throws IOException {
    program(
        "java",
        "if [ \"$1\" = -version ]; then echo 'openjdk version \"25\" 2025-09-16' >&2; exit; fi",
        "for argument; do echo \"<$argument>\"; done");
    program("uname", "if [ \"$1\" = -s ]; then echo " + system + "; else echo " + machine + "; fi");
    program(
        "mvn",
        "for argument; do case $argument in -Dpytorch.classifier=*) natives=${argument#*=} ;; esac;"
            + " done",
        "echo $natives >> build.log",
        "mkdir -p cam-processor/target/lib agent/target samples/target/lib",
        "touch cam-processor/target/lib/pytorch-native-cpu-2.7.1-$natives.jar",
        "touch cam-processor/target/camhook.jar agent/target/camhook-agent.jar"
            + " samples/target/camhook-samples.jar");
    Files.createDirectories(home.resolve("cam-processor/src/main"));
    Files.writeString(home.resolve("pom.xml"), "<project/>");
  }

  private void program(String name, String... lines) throws IOException {
    Path file = bin.resolve(name);
    Files.writeString(file, "#!/bin/bash\n" + String.join("\n", lines) + "\n");
    assertThat(file.toFile().setExecutable(true)).isTrue();
  }

  private Invocation launch(String... arguments) throws IOException, InterruptedException {
    Path out = folder.resolve("out");
    Path err = folder.resolve("err");
    List<String> command =
        new ArrayList<>(List.of("/bin/bash", home.resolve("camhook").toString()));
    command.addAll(List.of(arguments));
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectOutput(out.toFile()).redirectError(err.toFile());
    builder.environment().clear();
    builder.environment().put("PATH", bin.toString());
    Process process = builder.start();
    assertThat(process.waitFor(1, TimeUnit.MINUTES)).isTrue();
    return new Invocation(
        process.exitValue(),
        Files.readString(out, StandardCharsets.UTF_8),
        Files.readString(err, StandardCharsets.UTF_8));
  }
}
