package io.camhook.agent;

import io.camhook.capture.Recorder;
import io.camhook.config.CamhookConfig;
import io.camhook.config.PlainNetwork;
import io.camhook.dispatch.Failures;
import io.camhook.naming.Glob;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Reports which models the configuration is waiting for, and at the end whether each of its entries
 * was used.
 */
final class EntryReport {
  private final CamhookConfig config;
  private final Recorder recorder;
  private final Failures failures;

  EntryReport(CamhookConfig config, Recorder recorder, Failures failures) {
    this.config = config;
    this.recorder = recorder;
    this.failures = failures;
  }

  /** One line at the start. */
  String waitsFor() {
    if (config.models().isEmpty()) {
      return "has no models to wait for: hooks that code registers run, and nothing is recorded;"
          + " camhook attach PID camhook.yaml loads a configuration";
    }
    String models =
        config.models().stream().map(EntryReport::describe).collect(Collectors.joining(", "));
    return config.dryRun()
        ? "dry run: waits for %s; nothing is recorded".formatted(models)
        : "waits for %s; captures go to %s".formatted(models, recorder.destination());
  }

  private static String describe(CamhookConfig.Model model) {
    PlainNetwork plain = model.plain();
    return plain == null
        ? model.name()
        : "%s (class %s)".formatted(model.name(), plain.module().type());
  }

  /** A line for each entry that came to nothing, with the reason. */
  List<String> cameToNothing() {
    List<String> lines = new ArrayList<>();
    for (CamhookConfig.Model entry : config.models()) {
      Set<String> matched = matching(entry, recorder.models());
      if (matched.isEmpty() && matching(entry, recorder.recorded()).isEmpty()) {
        lines.add(
            "model %s: %s".formatted(entry.name(), reason(entry).orElseGet(() -> unseen(entry))));
      } else if (!config.dryRun()
          && !entry.capture().isEmpty()
          && matching(entry, recorder.recorded()).isEmpty()
          && recorder.status().queueLength() == 0) { // otherwise its captures may be waiting
        lines.add(
            "model %s was matched and nothing of it recorded: %s"
                .formatted(
                    entry.name(), reason(entry).orElse("no pass of it ran and was sampled")));
      }
    }
    return lines;
  }

  private static Set<String> matching(CamhookConfig.Model entry, Set<String> names) {
    Glob glob = new Glob(entry.name());
    return names.stream()
        .filter(name -> name.equals(entry.name()) || glob.matches(name))
        .collect(Collectors.toSet());
  }

  private Optional<String> reason(CamhookConfig.Model entry) {
    return failures.about(entry.name());
  }

  private static String unseen(CamhookConfig.Model entry) {
    PlainNetwork plain = entry.plain();
    return plain == null
        ? "no model of that name, file or class was used"
        : "no pass of a class %s was captured".formatted(plain.module().type());
  }
}
