package io.camhook.cli;

import io.camhook.cam.CamException;
import io.camhook.cam.targets.Labels;
import io.camhook.cam.targets.TargetChoice;
import io.camhook.cam.targets.Targets;
import io.camhook.explain.ExplainException;
import io.camhook.explain.TargetSelection;
import io.camhook.recording.RecordingException;
import io.camhook.recording.Safetensors;
import io.camhook.recording.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** What is explained. */
final class TargetOptions {
  private static final String NONE = "none";
  private static final String PREDICTED = "predicted";
  private static final String SIMILARITY = "similarity:";

  @Option(
      names = {"-t", "--target"},
      paramLabel = "TARGET",
      defaultValue = "top1",
      description = {
        "What is explained (default: ${DEFAULT-VALUE}): topN, class:N, label:S (scores of"
            + " classes);",
        "softmax:N, difference:N,M, finer:N, rest:N (labels will do for numbers); raw, binary:+,",
        "binary:-, output:N; similarity:FILE (to the output that an earlier FILE.safetensors"
            + " holds);",
        "none: nothing, the model runs only as far as the last layer."
      })
  private String target = "top1";

  @Option(
      names = "--target-mask",
      paramLabel = "PATH",
      description = {
        "Where a model scores every position (segmentation), sums a class's scores inside this"
            + " mask",
        "only: a picture, white inside, of the output's size; a directory with NAME.png for each",
        "input; or 'predicted': where the model itself says the class."
      })
  private @Nullable Path mask;

  @Option(names = "--labels", paramLabel = "FILE", description = "Class names, one a line.")
  private @Nullable Path labelFile;

  private Labels labels = Labels.none();
  private @Nullable TargetChoice choice;
  private @Nullable TargetSelection other;

  TargetOptions() {}

  /** Whether nothing is explained. */
  boolean isNone() {
    return target.equals(NONE);
  }

  /** Reads the target and what it names; an impossible one is wrong usage. */
  void read(CommandSpec spec) throws IOException {
    labels = labelFile == null ? Labels.none() : Labels.read(labelFile);
    if (mask != null && (isNone() || target.startsWith(SIMILARITY))) {
      throw new ParameterException(
          spec.commandLine(), "--target-mask needs a class; use -t topN, class:N or label:S");
    }
    if (isNone()) {
      return;
    }
    if (target.startsWith(SIMILARITY)) {
      other = similarity(Path.of(target.substring(SIMILARITY.length())));
      return;
    }
    try {
      choice = TargetChoice.parse(target, labels);
    } catch (CamException e) {
      throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
    }
  }

  private static TargetSelection similarity(Path file) throws IOException {
    Safetensors blob;
    try {
      blob = Safetensors.read(file);
    } catch (RecordingException e) {
      throw new ExplainException(String.valueOf(e.getMessage()), e);
    }
    Tensor reference = blob.tensors().get("logits");
    if (reference == null) {
      throw new ExplainException(
          "%s: expected a tensor 'logits', as camhook explain writes the model's output, found %s"
              .formatted(file, blob.tensors().keySet().stream().limit(5).toList()));
    }
    return TargetSelection.of(Targets.similarity(reference.toFloats()));
  }

  /** The labels of the classes. */
  Labels labels() {
    return labels;
  }

  /** The target of an input; null for none. */
  @Nullable TargetSelection of(String input) throws IOException {
    if (isNone()) {
      return null;
    }
    if (other != null) {
      return other;
    }
    TargetChoice wanted = Objects.requireNonNull(choice);
    if (mask == null) {
      return TargetSelection.of(wanted);
    }
    return mask.toString().equals(PREDICTED)
        ? TargetSelection.withinPrediction(wanted)
        : TargetSelection.within(wanted, MaskFile.of(mask, input).inside());
  }
}
