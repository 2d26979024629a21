package io.camhook.agent;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Hooks in separate processes: from code, from YAML, attached late, below other loaders. */
class HooksIT {
  /**
   * x = [1, -1], weight [[1, 2], [3, 4]], bias [0.5, -0.5]; the gradient of the sum is the sum of
   * the weight's rows.
   */
  private static final List<String> SEEN =
      List.of(
          "forward [-0.5, -1.5]",
          "backward [4.0, 6.0]",
          "gradient [4.0, 6.0]",
          "removed",
          "gradient [4.0, 6.0]");

  @TempDir Path directory;

  @Test
  void training_with_observing_hooks_of_all_kinds_should_write_the_same_bytes() throws Exception {
    String classPath = onClassPath(ForkedJvm.engine());
    ForkedJvm.Result plain = train().run(classPath, "app.Train", "plain");
    ForkedJvm.Result again = train().run(classPath, "app.Train", "again");
    Files.writeString(
        directory.resolve("camhook.yaml"),
        """
        models:
          - name: tiny
            hooks:
              - { hook: app.Observe, layers: "**" }
              - { hook: stats }
        output: { directory: captures }
        """);
    ForkedJvm.Result hooked = train().agent("camhook.yaml").run(classPath, "app.Train", "hooked");

    assertThat(plain.out()).isEqualTo("finite true" + System.lineSeparator());
    assertThat(plain.status() + again.status() + hooked.status()).as(hooked.err()).isZero();
    // 50 steps; eight modules, the root among them; the input requires no gradient, so that no
    // tensor hook is registered on what the flattening makes of it; six parameters of the linear
    // layers and two of the normalisation
    assertThat(hooked.out())
        .contains(
            "{accumulated=400, backward=350, backward pre=350, forward=400, forward pre=400,"
                + " parameter=400, tensor=350}");
    assertThat(hooked.err()).doesNotContain("fail");
    byte[] expected = Files.readAllBytes(directory.resolve("plain"));
    assertThat(Files.readAllBytes(directory.resolve("again"))).isEqualTo(expected);
    assertThat(Files.readAllBytes(directory.resolve("hooked"))).isEqualTo(expected);
  }

  private ForkedJvm train() {
    return new ForkedJvm(directory).jvm("-Dai.djl.pytorch.num_threads=1");
  }

  @Test
  void hooks_from_code_should_need_the_flag_and_say_so() throws Exception {
    ForkedJvm.Result result =
        new ForkedJvm(directory)
            .run(onClassPath(ForkedJvm.engine(), ForkedJvm.runtime()), "app.HookFromCode");

    assertThat(result.out().lines().skip(1))
        .containsExactly(
            "hooks need the camhook agent: start the JVM with -javaagent:camhook-agent.jar, or set"
                + " -Dcamhook.selfAttach=true to attach it now");
  }

  @Test
  void agent_should_attach_itself_where_it_is_told_to() throws Exception {
    ForkedJvm.Result result =
        selfAttaching()
            .run(onClassPath(ForkedJvm.engine(), ForkedJvm.runtime()), "app.HookFromCode");

    assertThat(result.out().lines().skip(1)).as(result.err()).isEqualTo(SEEN);
  }

  @Test
  void agent_that_cannot_attach_itself_should_say_what_to_do() throws Exception {
    ForkedJvm.Result result =
        new ForkedJvm(directory)
            .jvm("-Dcamhook.selfAttach=true")
            .run(onClassPath(ForkedJvm.engine(), ForkedJvm.runtime()), "app.HookFromCode");

    assertThat(result.out().lines().skip(1))
        .containsExactly(
            "camhook.selfAttach=true, but camhook-agent.jar is not on the class path; name it with"
                + " -Dcamhook.agentJar=FILE");
  }

  @Test
  void agent_that_attaches_itself_below_the_system_loader_should_name_the_flag() throws Exception {
    ForkedJvm.Result result =
        inChildLoader(selfAttaching(), ForkedJvm.engine(), ForkedJvm.runtime());

    assertThat(result.out().lines().skip(1))
        .hasSize(1)
        .first()
        .asString()
        .startsWith("camhook was loaded by java.net.URLClassLoader")
        .endsWith("start the JVM with -javaagent:camhook-agent.jar");
  }

  private ForkedJvm selfAttaching() {
    return new ForkedJvm(directory)
        .jvm("-Dcamhook.selfAttach=true", "-Dcamhook.agentJar=" + ForkedJvm.AGENT);
  }

  @Test
  void hooks_should_link_where_djl_is_below_the_system_loader() throws Exception {
    ForkedJvm.Result result = inChildLoader(new ForkedJvm(directory).agent(""), ForkedJvm.engine());

    assertThat(result.out().lines()).as(result.err()).startsWith("loader URLClassLoader");
    assertThat(result.out().lines().skip(1)).isEqualTo(SEEN);
  }

  @Test
  void typed_hooks_should_link_with_the_agent_jar_alone() throws Exception {
    ForkedJvm.Result result =
        inChildLoader(
            new ForkedJvm(directory).agent("").jvm("-Dapp.typed=true"), ForkedJvm.engine());

    assertThat(result.out().lines()).as(result.err()).startsWith("loader URLClassLoader");
    assertThat(result.out().lines().skip(1)).isEqualTo(SEEN);
  }

  @Test
  void typed_hooks_should_link_where_the_application_carries_the_runtime() throws Exception {
    ForkedJvm.Result result =
        inChildLoader(
            new ForkedJvm(directory).agent("").jvm("-Dapp.typed=true"),
            ForkedJvm.engine(),
            ForkedJvm.runtime());

    assertThat(result.out().lines()).as(result.err()).startsWith("loader URLClassLoader");
    assertThat(result.out().lines().skip(1)).isEqualTo(SEEN);
  }

  private ForkedJvm.Result inChildLoader(ForkedJvm jvm, String... urls) throws Exception {
    copy("Launcher", directory.resolve("launcher/app"));
    copy("HookFromCode", directory.resolve("classes/app"));
    return jvm.run(
        directory.resolve("launcher").toString(),
        "app.Launcher",
        directory.resolve("classes") + File.pathSeparator + String.join(File.pathSeparator, urls),
        "app.HookFromCode");
  }

  private static void copy(String application, Path to) throws Exception {
    Files.createDirectories(to);
    Path classes = Path.of(ForkedJvm.applications(), "app");
    Files.copy(classes.resolve(application + ".class"), to.resolve(application + ".class"));
  }

  private static String onClassPath(String... paths) {
    return ForkedJvm.applications() + File.pathSeparator + String.join(File.pathSeparator, paths);
  }
}
