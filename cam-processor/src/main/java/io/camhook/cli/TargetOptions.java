package io.camhook.cli;

import io.camhook.cam.CamException;
import io.camhook.cam.targets.Boxes;
import io.camhook.cam.targets.Labels;
import io.camhook.cam.targets.TargetChoice;
import io.camhook.cam.targets.Targets;
import io.camhook.explain.BoxChoice;
import io.camhook.explain.ExplainException;
import io.camhook.explain.Explained;
import io.camhook.explain.Explainer;
import io.camhook.explain.ModelInput;
import io.camhook.explain.TargetSelection;
import io.camhook.explain.TextTokenizer;
import io.camhook.ort.OnnxFile;
import io.camhook.recording.RecordingException;
import io.camhook.recording.Safetensors;
import io.camhook.recording.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** Options that select the targets. */
final class TargetOptions {
  private static final String NONE = "none";
  private static final String PREDICTED = "predicted";
  private static final String SIMILARITY = "similarity:";
  private static final String WORD = "word:";
  private static final String BOX = "box:";

  @Option(
      names = {"-t", "--target"},
      paramLabel = "TARGET",
      defaultValue = "top1",
      description =
          "What to explain (default: ${DEFAULT-VALUE}): topN, class:N, label:S (scores of classes);"
              + " softmax:N, difference:N,M, finer:N, rest:N (labels are accepted instead of"
              + " numbers); raw, binary:+, binary:-, output:N; similarity:FILE (to the output in an"
              + " earlier FILE.safetensors), similarity:TEXT or FILE.txt (to the model's output for"
              + " another text, with --tokenizer); word:W (a word that a language model scores, W@N"
              + " at token N, with --tokenizer); box:N (a detector's box, --boxes); none: nothing,"
              + " the model runs only up to the last layer.")
  private String target = "top1";

  @Option(
      names = "--target-mask",
      paramLabel = "PATH",
      description =
          "Where a model scores every position (segmentation), sums a class's scores inside this"
              + " mask only: a picture, white inside, of the output's size; a directory with"
              + " NAME.png for each input; or 'predicted': the positions where the model itself"
              + " predicts the class.")
  private @Nullable Path mask;

  @Option(
      names = "--labels",
      paramLabel = "FILE",
      description =
          "Class names, one per line (default: those that come with an .onnx model, in its"
              + " metadata, or in synset.txt or config.json beside it).")
  private @Nullable Path labelFile;

  private Labels labels = Labels.none();
  private @Nullable TargetChoice choice;
  private @Nullable Tensor reference;
  private @Nullable ModelInput referenceInput;
  private @Nullable WordTarget word;
  private @Nullable TargetSelection boxed;

  TargetOptions() {}

  /** Whether the target is {@code none}. */
  boolean isNone() {
    return target.equals(NONE);
  }

  /**
   * Reads the target and the files that it names; an impossible target is wrong usage.
   *
   * @param model the file
   * @param tokenizer null if none was given
   * @param boxes the meaning of a box's columns in a detector's output; null if not given
   */
  void read(
      CommandSpec spec, Path model, @Nullable TextTokenizer tokenizer, Boxes.@Nullable Format boxes)
      throws IOException {
    labels = labelFile == null ? own(model) : Labels.read(labelFile);
    if (mask != null && (isNone() || target.startsWith(SIMILARITY) || target.startsWith(WORD))) {
      throw new ParameterException(
          spec.commandLine(), "--target-mask needs a class; use -t topN, class:N or label:S");
    }
    if (isNone()) {
      return;
    }
    if (target.startsWith(SIMILARITY)) {
      readSimilarity(spec, target.substring(SIMILARITY.length()), tokenizer);
      return;
    }
    if (target.startsWith(WORD)) {
      if (tokenizer == null) {
        throw new ParameterException(
            spec.commandLine(), target + ": a word needs the vocabulary; name it with --tokenizer");
      }
      word = WordTarget.parse(target.substring(WORD.length()), tokenizer.vocabulary());
      return;
    }
    try {
      if (boxes != null || target.startsWith(BOX)) {
        boxed =
            BoxChoice.parse(target, labels)
                .map(wanted -> TargetSelection.ofBoxes(wanted, boxes))
                .orElseThrow(
                    () ->
                        new ParameterException(
                            spec.commandLine(),
                            "target '%s': of boxes expected box:N, class:N, label:S or topN"
                                .formatted(target)));
        return;
      }
      choice = TargetChoice.parse(target, labels);
    } catch (CamException e) {
      throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
    }
  }

  /** The names that an {@code .onnx} model brings along. */
  private static Labels own(Path model) {
    try {
      return model.toString().endsWith(".onnx")
          ? new Labels(OnnxFile.classNames(model))
          : Labels.none();
    } catch (IOException e) {
      return Labels.none(); // loading it reports what is wrong
    }
  }

  private void readSimilarity(CommandSpec spec, String other, @Nullable TextTokenizer tokenizer)
      throws IOException {
    boolean isFile = !other.isBlank() && Files.isRegularFile(Path.of(other));
    if (isFile && !other.endsWith(".txt")) {
      reference = output(Path.of(other));
    } else if (tokenizer != null) {
      String text = isFile ? Files.readString(Path.of(other)) : other;
      referenceInput = tokenizer.input("the text of " + SIMILARITY, text);
    } else if (other.endsWith(".safetensors")) {
      throw new ExplainException(other + ": no such file");
    } else {
      throw new ParameterException(
          spec.commandLine(),
          "%s: expected a .safetensors that camhook explain wrote, or, with --tokenizer, another text"
              .formatted(target));
    }
  }

  private static Tensor output(Path file) throws IOException {
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
    return reference;
  }

  /** The labels of the classes. */
  Labels labels() {
    return labels;
  }

  /**
   * The target of an input; null for none.
   *
   * @param explainer runs the other text of a similarity
   */
  @Nullable TargetSelection of(ModelInput input, Explainer explainer) throws IOException {
    if (isNone()) {
      return null;
    }
    if (reference == null && referenceInput != null) {
      Explained other = explainer.run(referenceInput, TargetSelection.of(Targets.raw()));
      reference = other.logits().orElseThrow();
    }
    if (reference != null) {
      return TargetSelection.similarity(reference, referenceInput, input);
    }
    if (word != null) {
      return word.of(input);
    }
    if (boxed != null) {
      return boxed;
    }
    TargetChoice wanted = Objects.requireNonNull(choice);
    if (mask == null) {
      return TargetSelection.of(wanted);
    }
    return mask.toString().equals(PREDICTED)
        ? TargetSelection.withinPrediction(wanted)
        : TargetSelection.within(wanted, MaskFile.of(mask, input.name()).inside());
  }
}
