package io.camhook.ort;

import ai.onnxruntime.OnnxModelMetadata;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.camhook.capture.ClassNames;
import io.camhook.config.CamhookConfig;
import io.camhook.dispatch.EventLog;
import io.camhook.dispatch.Failures;
import io.camhook.naming.Glob;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The application's sessions that the configuration matches. Thread-safe. */
final class WatchedModels {
  private final List<CamhookConfig.Model> entries;
  private final Failures failures;
  private final EventLog log;

  WatchedModels(CamhookConfig config, Failures failures, EventLog log) {
    this.failures = failures;
    this.entries = config.models().stream().filter(entry -> entry.plain() == null).toList();
    this.log = log;
  }

  boolean isEmpty() {
    return entries.isEmpty();
  }

  /** The plan for a new session; null when no entry of the configuration matches it. */
  @Nullable OnnxPlan planOf(OrtSession session, SessionSource source) throws OrtException {
    List<String> names = names(session, source);
    for (CamhookConfig.Model entry : entries) {
      Glob glob = new Glob(entry.name());
      if (names.stream().anyMatch(glob::matches)) {
        return new OnnxPlan(
            entry,
            glob.isLiteral() ? entry.name() : names.get(0),
            ClassNames.of(session.getMetadata().getCustomMetadata(), source.folder()),
            failures,
            log);
      }
    }
    log.info(
        "model %s is not hooked: no entry of 'models' matches any of its names %s"
            .formatted(names.get(0), names));
    return null;
  }

  /**
   * The file's name with and without its ending, and the names in the model's metadata; never
   * empty.
   */
  private static List<String> names(OrtSession session, SessionSource source) throws OrtException {
    OnnxModelMetadata metadata = session.getMetadata();
    String file = source.name();
    List<String> names = new ArrayList<>();
    Stream.concat(
            Stream.of(
                file,
                file.endsWith(".onnx") ? file.substring(0, file.length() - 5) : "",
                metadata.getGraphName(),
                metadata.getDomain()),
            metadata.getCustomMetadata().values().stream().filter(value -> value.length() < 80))
        .filter(name -> name != null && !name.isBlank())
        .distinct()
        .forEach(names::add);
    return names.isEmpty() ? List.of("onnx") : names;
  }
}
