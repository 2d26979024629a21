package io.camhook.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.InputStream;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import javax.tools.JavaCompiler;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A user's JUnit test with the extension: compiled against the agent jar alone, and run. */
class JUnitExtensionIT {
  @TempDir Path directory;

  @Test
  void test_of_the_readme_should_compile_and_run_with_the_agent_jar_alone() throws Exception {
    Path model =
        Path.of(System.getProperty("camhook.reference", ""), "torchscript", "one_conv.scripted.pt")
            .toAbsolutePath();
    assumeTrue(Files.exists(model), "no reference data in " + model);
    String classPath = ForkedJvm.AGENT + File.pathSeparator + ForkedJvm.engine();
    Path source = directory.resolve("SteeringTest.java");
    try (InputStream text =
        Objects.requireNonNull(getClass().getResourceAsStream("/junit/SteeringTest.java"))) {
      Files.copy(text, source);
    }
    compile(source, classPath);

    ForkedJvm.Result result =
        new ForkedJvm(directory)
            .jvm("-Dmodel=" + model)
            .run(directory + File.pathSeparator + classPath, "SteeringTest");

    assertThat(result.out().strip()).as(result.err()).endsWith("2 of 2");
  }

  private void compile(Path source, String classPath) {
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    StringWriter said = new StringWriter();
    boolean compiled =
        compiler
            .getTask(
                said,
                null,
                null,
                List.of("-proc:none", "-d", directory.toString(), "-cp", classPath),
                null,
                compiler
                    .getStandardFileManager(null, null, StandardCharsets.UTF_8)
                    .getJavaFileObjects(source))
            .call();
    assertThat(compiled).as(said.toString()).isTrue();
  }
}
