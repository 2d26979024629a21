package io.camhook.builtin;

import io.camhook.config.CamhookConfig;
import io.camhook.config.CamhookConfig.Permissions;
import io.camhook.dispatch.EventLog;
import io.camhook.dispatch.Failures;
import io.camhook.recording.FileAccess;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Creates the built-in hooks of a configuration. Entries with the same kind and options share one
 * hook in the whole JVM, so that they write to one file. Thread-safe.
 */
public final class Watches implements AutoCloseable {
  /** The names of the built-in hooks in a configuration. */
  public static final List<String> NAMES = List.of("stats", "nan-guard", "print");

  private static final double DEFAULT_WARN = 4;

  private final @Nullable StatsFile stats;
  private final LayerHealth health;
  private final EventLog log;
  private final Map<CamhookConfig.Hook, LayerWatch> made = new ConcurrentHashMap<>();

  /**
   * @param directory the recording's directory, where {@code stats.jsonl} goes; null if there is
   *     none
   */
  public Watches(@Nullable Path directory, EventLog log) {
    this(directory, new FileAccess(Permissions.OWNER), log);
  }

  private Watches(@Nullable Path directory, FileAccess access, EventLog log) {
    this.stats = directory == null ? null : new StatsFile(directory, access, log);
    this.health = new LayerHealth(log);
    this.log = log;
  }

  /** What the stats hooks see. */
  public LayerHealth health() {
    return health;
  }

  /** The watches of a configuration; they write to its output. */
  public static Watches of(CamhookConfig config, EventLog log) {
    String directory = config.output().directory();
    return new Watches(
        directory == null ? null : Path.of(directory),
        new FileAccess(config.output().permissions()),
        log);
  }

  /** The built-in hook that an entry names; null if it names a class of the application's. */
  public @Nullable LayerWatch of(CamhookConfig.Hook entry) {
    return NAMES.contains(entry.hook()) ? made.computeIfAbsent(entry, this::make) : null;
  }

  private LayerWatch make(CamhookConfig.Hook entry) {
    return switch (entry.hook()) {
      case "nan-guard" -> new NanGuardWatch("throw".equals(entry.options().get("action")), log);
      case "stats" -> stats(entry.options());
      default -> new PrintWatch(log);
    };
  }

  private LayerWatch stats(Map<String, String> options) {
    String file = options.get("baseline");
    Baseline baseline = file == null ? null : baseline(Path.of(file));
    if (stats == null) {
      log.info(
          "hook stats writes no stats.jsonl, because there is no output.directory; JMX, JFR and the"
              + " application's metrics have its numbers");
    }
    String warn = options.get("warn");
    return new StatsWatch(
        stats, health, baseline, warn == null ? DEFAULT_WARN : Double.parseDouble(warn));
  }

  private @Nullable Baseline baseline(Path file) {
    try {
      return Baseline.read(file);
    } catch (IOException e) {
      log.warn("hook stats runs without its baseline: " + e.getMessage());
      return null;
    }
  }

  /**
   * Calls a built-in hook. What fails in it is counted and does not reach the application, with the
   * exception of what {@code nan-guard} throws on request.
   */
  public static void look(Failures failures, Runnable call) {
    try {
      call.run();
    } catch (NonFiniteValueException e) {
      throw e;
    } catch (Throwable e) { // it copies whole tensors to the heap, which may be full
      failures.add("a built-in hook failed", e);
    }
  }

  /** Writes what is buffered and stops writing. */
  @Override
  public void close() {
    if (stats != null) {
      stats.close();
    }
  }
}
