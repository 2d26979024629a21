package io.camhook.agent;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.jar.Attributes;
import java.util.jar.JarFile;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is in the jar that people put after {@code -javaagent}. */
class AgentJarIT {
  @Test
  void jar_should_hold_only_camhook_and_relocated_libraries() throws IOException {
    assertThat(entries())
        .filteredOn(name -> !name.endsWith("/"))
        .allMatch(name -> name.startsWith("io/camhook/") || name.startsWith("META-INF/"))
        .noneMatch(name -> name.startsWith("META-INF/") && name.endsWith(".class"))
        .contains(
            "io/camhook/agent/shaded/bytebuddy/ByteBuddy.class",
            "io/camhook/agent/shaded/snakeyaml/Yaml.class",
            "io/camhook/agent/shaded/jackson/databind/ObjectMapper.class",
            "io/camhook/agent/shaded/protobuf/UnknownFieldSet.class",
            "META-INF/camhook/camhook.schema.json",
            "META-INF/LICENSE");
  }

  @ParameterizedTest
  @CsvSource({"djl, DjlAdapter", "ort, OrtAdapter", "kafka, KafkaSinks"})
  void adapters_should_be_visible_only_inside_their_nested_jars(String engine, String adapter)
      throws IOException {
    String folder = "io/camhook/" + engine + "/";
    assertThat(entries())
        .noneMatch(
            name ->
                name.startsWith(folder)
                    && name.endsWith(".class")
                    && !name.equals(
                        "io/camhook/djl/BlockHooks.class")); // typed, and links to no DJL
    List<String> nested = new ArrayList<>();
    try (JarFile jar = new JarFile(ForkedJvm.AGENT.toFile())) {
      ZipEntry entryOfJar = jar.getEntry("META-INF/camhook/" + engine + ".jar");
      byte[] bytes = jar.getInputStream(entryOfJar).readAllBytes();
      ZipInputStream zip = new ZipInputStream(new ByteArrayInputStream(bytes));
      for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
        if (entry.getName().endsWith(".class")) {
          nested.add(entry.getName());
          // Names in it are not relocated.
          assertThat(new String(zip.readAllBytes(), java.nio.charset.StandardCharsets.ISO_8859_1))
              .doesNotContain("com/google/protobuf", "com/fasterxml/jackson");
        }
      }
    }
    assertThat(nested)
        .contains(folder + adapter + ".class")
        .allMatch(name -> name.startsWith(folder));
  }

  @Test
  void manifest_should_name_the_three_ways_in_and_what_the_jvm_must_allow() throws IOException {
    try (JarFile jar = new JarFile(ForkedJvm.AGENT.toFile())) {
      Attributes attributes = jar.getManifest().getMainAttributes();
      for (String entry : List.of("Premain-Class", "Agent-Class", "Launcher-Agent-Class")) {
        assertThat(attributes.getValue(entry)).isEqualTo("io.camhook.agent.CamhookAgent");
      }
      assertThat(attributes.getValue("Can-Retransform-Classes")).isEqualTo("true");
      assertThat(attributes.getValue("Implementation-Version")).isNotBlank();
    }
  }

  @Test
  void relocated_libraries_should_not_name_their_old_packages() throws IOException {
    try (JarFile jar = new JarFile(ForkedJvm.AGENT.toFile())) {
      byte[] weaver =
          jar.getInputStream(jar.getEntry("io/camhook/agent/weave/ByteBuddyEngine.class"))
              .readAllBytes();
      assertThat(new String(weaver, java.nio.charset.StandardCharsets.ISO_8859_1))
          .contains("io/camhook/agent/shaded/bytebuddy/ByteBuddy")
          .doesNotContain("Lnet/bytebuddy/");
    }
  }

  @Test
  void jar_should_stay_below_9_MB() throws IOException {
    assertThat(Files.size(ForkedJvm.AGENT)).isLessThan(9_000_000);
  }

  private static List<String> entries() throws IOException {
    try (JarFile jar = new JarFile(ForkedJvm.AGENT.toFile())) {
      return jar.stream().map(ZipEntry::getName).toList();
    }
  }
}
