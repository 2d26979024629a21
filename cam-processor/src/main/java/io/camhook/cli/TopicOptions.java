package io.camhook.cli;

import io.camhook.kafka.TopicReader;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** Options of a command that reads a topic. */
final class TopicOptions {
  static final Duration POLL = Duration.ofMillis(500);

  private static final Pattern ADDRESS = Pattern.compile("kafka:([^/]+)/([A-Za-z0-9._-]+)");
  private static final Pattern VARIABLE =
      Pattern.compile("\\$\\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\\}");

  @Option(
      names = "--group",
      paramLabel = "GROUP",
      description = "For a topic: the consumer group that shares the work (default: camhook).")
  private String group = "camhook";

  @Option(
      names = "--properties",
      paramLabel = "FILE",
      description =
          "For a topic: client properties, for SASL and TLS; ${NAME} is an environment variable.")
  private @Nullable Path properties;

  @Option(
      names = "--claim-check",
      paramLabel = "DIR",
      description = "For a topic: the directory with captures that were too large for it.")
  private @Nullable Path claims;

  TopicOptions() {}

  /** The topic that a parameter names; null if it is a path. */
  @Nullable TopicAddress address(CommandSpec spec, String parameter) {
    if (!parameter.startsWith(TopicAddress.PREFIX) || Files.exists(Path.of(parameter))) {
      return null;
    }
    Matcher address = ADDRESS.matcher(parameter);
    if (!address.matches()) {
      throw new ParameterException(
          spec.commandLine(), "expected kafka:HOST:PORT/TOPIC, found \"" + parameter + "\"");
    }
    return new TopicAddress(address.group(1), address.group(2));
  }

  TopicReader open(TopicAddress address) throws IOException {
    try {
      return TopicReader.open(
          address.bootstrap(), address.topic(), group, clientProperties(), claims);
    } catch (NoClassDefFoundError e) {
      throw new CommandFailure(
          "kafka: needs kafka-clients, lz4-java and zstd-jni in the folder lib or kafka beside"
              + " camhook.jar; they are part of the distribution");
    }
  }

  private Map<String, String> clientProperties() throws IOException {
    Map<String, String> all = new TreeMap<>();
    if (properties == null) {
      return all;
    }
    Properties read = new Properties();
    try (InputStream in = Files.newInputStream(properties)) {
      read.load(in);
    }
    for (String key : read.stringPropertyNames()) {
      Matcher variable = VARIABLE.matcher(read.getProperty(key));
      all.put(
          key,
          variable.replaceAll(
              found -> Matcher.quoteReplacement(value(key, found.group(1), found.group(2)))));
    }
    return all;
  }

  private String value(String key, String name, @Nullable String absent) {
    String value = System.getenv(name);
    if (value != null && !value.isEmpty()) {
      return value;
    }
    if (absent == null) {
      throw new CommandFailure(
          "%s: %s: environment variable %s is not set".formatted(properties, key, name));
    }
    return absent;
  }
}
