package io.camhook.agent.yaml;

import io.camhook.config.KafkaOutput;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Reads {@code output.kafka}. */
public final class KafkaReader {
  public static final SinkReader KAFKA =
      (output, reading, process) -> new KafkaReader(reading, process).read(output);

  private static final String BROKERS = "brokers such as host:9092,host:9092";
  private static final String DIRECTORY = "a directory";

  private final Reading reading;
  private final DirectoryPattern.Process process;

  private KafkaReader(Reading reading, DirectoryPattern.Process process) {
    this.reading = reading;
    this.process = process;
  }

  /** Null if Kafka is not configured. */
  private @Nullable KafkaOutput read(Section output) {
    try (Section section = output.section("kafka")) {
      boolean[] given =
          section.has(
              "bootstrap",
              "topic",
              "compression",
              "maxBytes",
              "spool",
              "spoolDirectory",
              "claimCheck",
              "classpath",
              "properties");
      boolean any = false;
      for (boolean one : given) {
        any |= one;
      }
      String bootstrap = expand(section.scalar("bootstrap", BROKERS));
      String topic = expand(section.scalar("topic", "a topic"));
      String compression =
          section.choice(
              "compression", Map.of("lz4", "lz4", "zstd", "zstd", "none", "none"), "lz4");
      long maxBytes = section.bytes("maxBytes", KafkaOutput.ASK);
      long spool = section.bytes("spool", Map.of("0", 0L), 0);
      Path spoolDirectory = path(section.scalar("spoolDirectory", DIRECTORY));
      Path claimCheck = path(section.scalar("claimCheck", DIRECTORY));
      List<Path> classPath = classPath(section);
      Map<String, String> properties = properties(section);
      if (!any) {
        return null;
      }
      missing(section, "bootstrap", bootstrap);
      missing(section, "topic", topic);
      return new KafkaOutput(
          bootstrap == null ? "" : bootstrap,
          topic == null ? "" : topic,
          compression,
          maxBytes,
          spool,
          spoolDirectory == null ? Path.of(KafkaOutput.DEFAULT_SPOOL_DIRECTORY) : spoolDirectory,
          claimCheck,
          classPath,
          properties);
    }
  }

  private void missing(Section section, String key, @Nullable String value) {
    if (value == null && !section.has(key)) {
      reading.report(section.at(), section.child(key), "is missing");
    }
  }

  private List<Path> classPath(Section section) {
    List<Path> paths = new ArrayList<>();
    List<Scalar> given = section.list("classpath", "jars, or directories with them");
    for (Scalar each : given == null ? List.<Scalar>of() : given) {
      Path path = path(each);
      if (path != null) {
        paths.add(path);
      }
    }
    return paths;
  }

  private @Nullable Path path(@Nullable Scalar scalar) {
    String text = expand(scalar);
    if (scalar == null || text == null) {
      return null;
    }
    try {
      return Path.of(text);
    } catch (InvalidPathException e) {
      reading.report(scalar.at(), scalar.key(), "is no path: " + e.getReason());
      return null;
    }
  }

  /** Null, with a problem, if it is blank or cannot be expanded. */
  private @Nullable String expand(@Nullable Scalar scalar) {
    if (scalar == null) {
      return null;
    }
    try {
      String text = DirectoryPattern.expand(scalar.text(), process);
      if (!text.isBlank()) {
        return text;
      }
      reading.report(scalar.at(), scalar.key(), "is empty");
    } catch (IllegalArgumentException e) {
      reading.report(scalar.at(), scalar.key(), String.valueOf(e.getMessage()));
    }
    return null;
  }

  /** Properties of the client; no value is ever part of a message. */
  private Map<String, String> properties(Section kafka) {
    Map<String, String> expanded = new LinkedHashMap<>();
    try (Section section = kafka.section("properties")) {
      section
          .others()
          .forEach(
              (key, value) -> {
                try {
                  expanded.put(key, DirectoryPattern.expandVariables(value, process));
                } catch (IllegalArgumentException e) {
                  reading.report(section.at(), section.child(key), String.valueOf(e.getMessage()));
                }
              });
    }
    return expanded;
  }
}
