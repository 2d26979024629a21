package io.camhook.ort;

import io.camhook.capture.ClassNames;
import io.camhook.config.CamhookConfig;
import io.camhook.config.CamhookConfig.CaptureKind;
import io.camhook.dispatch.EventLog;
import io.camhook.dispatch.Failures;
import io.camhook.recording.TensorName;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** What the configuration asks for in one model. Thread-safe. */
final class OnnxPlan {
  private final CamhookConfig.Model entry;
  private final String label;
  private final List<String> classNames;
  private final @Nullable SimilarityTarget similarity;
  private final Failures failures;
  private final EventLog log;
  private final Set<String> said = ConcurrentHashMap.newKeySet();

  /**
   * @param own the names of its classes that the model brings along; empty if it has none
   */
  OnnxPlan(
      CamhookConfig.Model entry, String label, List<String> own, Failures failures, EventLog log) {
    this.entry = entry;
    this.label = label;
    this.failures = failures;
    this.log = log;
    this.classNames = entry.labels() == null ? own : ClassNames.read(entry.labels(), label, log);
    this.similarity = similarity(entry, label, log);
  }

  private static @Nullable SimilarityTarget similarity(
      CamhookConfig.Model entry, String label, EventLog log) {
    String file = entry.target().label();
    if (entry.target().kind() != CamhookConfig.Target.Kind.SIMILARITY || file == null) {
      return null;
    }
    try {
      return SimilarityTarget.read(Path.of(file));
    } catch (IOException e) {
      log.warn("model %s has no gradients: %s".formatted(label, e.getMessage()));
      return null;
    }
  }

  /**
   * The explained output: the one that the entry names by position or name, otherwise the usual
   * one.
   *
   * @param possible outputs that can hold scores
   * @param declared all outputs of the model, in order
   * @return null if there is none
   */
  @Nullable String scores(List<String> possible, List<String> declared) {
    String wanted = entry.scored().output();
    if (wanted == null) {
      return PassValues.preferred(possible);
    }
    boolean numbered = wanted.matches("\\d{1,4}") && Integer.parseInt(wanted) < declared.size();
    String name = numbered ? declared.get(Integer.parseInt(wanted)) : wanted;
    if (!declared.contains(name)) {
      sayOnce("it has no output '%s'; its outputs are %s".formatted(wanted, declared));
    }
    return possible.contains(name) ? name : null;
  }

  /** The reference of a similarity target; null for other targets. */
  @Nullable SimilarityTarget similarity() {
    return similarity;
  }

  /** Whether hooks replace values. */
  boolean replaces() {
    return entry.hooks().stream().anyMatch(CamhookConfig.Hook::replaces);
  }

  CamhookConfig.Model entry() {
    return entry;
  }

  String label() {
    return label;
  }

  /** Names of the classes, empty if unknown. */
  List<String> classNames() {
    return classNames;
  }

  boolean captures(CaptureKind kind) {
    return entry.capture().contains(kind);
  }

  boolean capturesAnything() {
    return !entry.capture().isEmpty();
  }

  /** Whether layers are recorded, by whichever of their values. */
  boolean capturesLayers() {
    return captures(CaptureKind.ACTIVATION) || wantsGradient();
  }

  boolean wantsGradient() {
    return entry.target().kind() != CamhookConfig.Target.Kind.NONE
        && captures(CaptureKind.GRADIENT);
  }

  /** Reports an unavailable feature: logged once, counted each time. */
  void sayOnce(String message) {
    failures.mistake("model %s: %s".formatted(label, message));
  }

  /** Logs information once. */
  void inform(String message) {
    if (said.add(message)) {
      log.info("model %s: %s".formatted(label, message));
    }
  }

  /** Logs once that a value is missing in every capture. */
  void unrecordable(TensorName name, RuntimeException why) {
    sayOnce("'%s' is missing in its captures: %s".formatted(name, why.getMessage()));
  }
}
