package io.camhook.cli;

import io.camhook.explain.ExplainException;
import io.camhook.explain.Metric;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** Options that select the metrics and masks. */
final class MetricsOptions {
  private static final String ALL = "all";

  /** The ids for {@code --help}. */
  static final class Ids implements Iterable<String> {
    Ids() {}

    @Override
    public Iterator<String> iterator() {
      return Metric.ids().iterator();
    }
  }

  @Option(
      names = "--metrics",
      paramLabel = "METRIC",
      split = ",",
      completionCandidates = Ids.class,
      description =
          "Measures the methods and, for comparison, randomcam: ${COMPLETION-CANDIDATES}, or all."
              + " sanity compares with maps of models with random weights, localization with"
              + " --mask. Printed, and written as metrics.json and metrics.csv.")
  private List<String> metrics = new ArrayList<>();

  @Option(
      names = "--mask",
      paramLabel = "PATH",
      description =
          "Mask picture of the object, white inside, in the size of the model's input; or a"
              + " directory with NAME.png for each input.")
  private @Nullable Path mask;

  MetricsOptions() {}

  /** The metrics; an unknown one is wrong usage. */
  Set<Metric> metrics(CommandSpec spec) {
    Set<Metric> wanted = EnumSet.noneOf(Metric.class);
    for (String id : metrics) {
      if (id.equals(ALL)) {
        wanted.addAll(EnumSet.allOf(Metric.class));
        if (mask == null) {
          wanted.remove(Metric.LOCALIZATION);
        }
        continue;
      }
      try {
        wanted.add(Metric.byId(id));
      } catch (ExplainException e) {
        throw new ParameterException(spec.commandLine(), "--metrics: " + e.getMessage(), e);
      }
    }
    if (wanted.contains(Metric.LOCALIZATION) && mask == null) {
      throw new ParameterException(
          spec.commandLine(), "--metrics localization compares with a mask; give --mask");
    }
    return wanted;
  }

  /** The mask of an input; null if none was given. */
  boolean @Nullable [] mask(String input) throws IOException {
    if (mask == null) {
      return null;
    }
    return MaskFile.of(mask, input).inside();
  }
}
