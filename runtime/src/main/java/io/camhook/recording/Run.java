package io.camhook.recording;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * One process that wrote to a recording, from opening to closing it.
 *
 * @param started when it opened the recording
 * @param ended when it closed it; null while it runs or if it was killed
 * @param camhookVersion version of camhook
 * @param host its machine
 * @param pid its process
 * @param config text of its {@code camhook.yaml}, null if there was none
 * @param versions by name: JVM, engine …
 * @param counters final counters, or those last noted while it runs or if it was killed; null if
 *     none were noted
 * @param losses how many captures were dropped or failed, by reason
 */
public record Run(
    Instant started,
    @Nullable Instant ended,
    String camhookVersion,
    String host,
    long pid,
    @Nullable String config,
    Map<String, String> versions,
    @Nullable Counters counters,
    Map<String, Long> losses) {
  public Run {
    versions = Map.copyOf(versions);
    losses = losses == null ? Map.of() : Map.copyOf(losses);
  }

  /**
   * The run of this process, begun now.
   *
   * @param config text of {@code camhook.yaml}
   * @param versions versions to record besides the JVM's version and vendor
   */
  public static Run begin(@Nullable String config, Map<String, String> versions) {
    Map<String, String> all = new TreeMap<>(versions);
    all.put("java", System.getProperty("java.version", "unknown"));
    all.put("jvm", System.getProperty("java.vm.name", "unknown"));
    String version = Run.class.getPackage().getImplementationVersion();
    return new Run(
        Instant.now(),
        null,
        version == null ? "development" : version,
        localHost(),
        ProcessHandle.current().pid(),
        config,
        all,
        null,
        Map.of());
  }

  /** This run as it ended now. */
  Run end(Counters counters, Map<String, Long> losses) {
    return with(Instant.now(), counters, losses);
  }

  /** This run with its current counters. */
  Run noted(Counters counters, Map<String, Long> losses) {
    return with(null, counters, losses);
  }

  private Run with(@Nullable Instant end, Counters counters, Map<String, Long> losses) {
    return new Run(started, end, camhookVersion, host, pid, config, versions, counters, losses);
  }

  /** The machine's name without asking a name server, which may take seconds. */
  public static String localHost() {
    for (String variable : new String[] {"HOSTNAME", "COMPUTERNAME"}) {
      String name = System.getenv(variable);
      if (name != null && !name.isBlank()) {
        return name;
      }
    }
    try {
      return Files.readString(Path.of("/etc/hostname")).strip();
    } catch (IOException e) {
      return "localhost";
    }
  }
}
