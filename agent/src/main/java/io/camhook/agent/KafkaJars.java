package io.camhook.agent;

import io.camhook.config.KafkaOutput;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.net.URI;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.CodeSource;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Finds kafka-clients: in {@code output.kafka.classpath}, otherwise in the folder {@code kafka}
 * beside the agent's jar. It is loaded separately from the application, which may have its own
 * copy.
 */
final class KafkaJars {
  private static final String FOLDER = "kafka";

  private KafkaJars() {}

  /**
   * The jars.
   *
   * @throws IOException if there are none, with what to do
   */
  static List<Path> find(KafkaOutput output) throws IOException {
    List<Path> places = output.classPath();
    if (places.isEmpty()) {
      Path agent = agentJar();
      places = agent == null ? List.of() : List.of(agent.resolveSibling(FOLDER));
    }
    List<Path> jars = new ArrayList<>();
    for (Path place : places) {
      if (Files.isDirectory(place)) {
        try (Stream<Path> files = Files.list(place)) {
          files.filter(file -> file.toString().endsWith(".jar")).sorted().forEach(jars::add);
        }
      } else if (Files.exists(place)) {
        jars.add(place);
      }
    }
    if (jars.stream().noneMatch(jar -> jar.getFileName().toString().startsWith("kafka-clients"))) {
      throw new FileNotFoundException(
          "output.kafka needs kafka-clients-VERSION.jar with lz4-java, zstd-jni and slf4j-api: there is none in %s; put them there, or name their folder in output.kafka.classpath"
              .formatted(places));
    }
    return jars;
  }

  private static @Nullable Path agentJar() {
    CodeSource source = KafkaJars.class.getProtectionDomain().getCodeSource();
    if (source == null || source.getLocation() == null) {
      return null;
    }
    try {
      return Path.of(URI.create(source.getLocation().toString())).toAbsolutePath();
    } catch (IllegalArgumentException | java.nio.file.FileSystemNotFoundException e) {
      return null;
    }
  }

  /** Sees the jars and the JDK, nothing else. */
  static ClassLoader loader(KafkaOutput output) throws IOException {
    List<URL> urls = new ArrayList<>();
    for (Path jar : find(output)) {
      urls.add(jar.toUri().toURL());
    }
    return new URLClassLoader(
        "camhook-kafka", urls.toArray(new URL[0]), ClassLoader.getPlatformClassLoader());
  }
}
