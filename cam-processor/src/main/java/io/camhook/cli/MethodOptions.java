package io.camhook.cli;

import io.camhook.cam.Aggregation;
import io.camhook.cam.CamException;
import io.camhook.cam.Heatmaps;
import io.camhook.cam.Layout;
import io.camhook.cam.model.ModelMethods;
import io.camhook.cam.model.RunOptions;
import io.camhook.recording.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** Options that select the methods and their settings. */
final class MethodOptions {
  private static final String NONE = "none";

  /** The ids for {@code --help}. */
  static final class Ids implements Iterable<String> {
    Ids() {}

    @Override
    public Iterator<String> iterator() {
      return ModelMethods.allIds().iterator();
    }
  }

  /** Gradient times input at the embedding, and its mean along the path from zero vectors. */
  private static final List<String> OF_WORDS = List.of("hirescam", "integrated-gradients");

  @Option(
      names = {"-m", "--method"},
      paramLabel = "METHOD",
      split = ",",
      completionCandidates = Ids.class,
      description =
          "Method, may be repeated (default: gradcam; of token ids hirescam and "
              + "integrated-gradients, and occlusion if the padding token is known); none: "
              + "activations and gradients only. Methods of a layer's activation and gradient, "
              + "then those that run the model again, then those of the input: "
              + "${COMPLETION-CANDIDATES} (drise: of a detector's boxes).")
  private List<String> methods = new ArrayList<>();

  @Option(
      names = "--aggregate",
      paramLabel = "RULE",
      defaultValue = "mean",
      description =
          "How maps of several layers become one: mean, scaled-max (LayerCAM's) or product"
              + " (default: ${DEFAULT-VALUE}).")
  private String aggregate = "mean";

  @Option(
      names = "--eigen-smooth",
      description =
          "Uses the first principal component of the channels' terms instead of their sum.")
  private boolean eigenSmooth;

  @Option(
      names = "--aug-smooth",
      description =
          "Averages the heatmaps of brighter, darker and mirrored versions of the input: six times"
              + " the work.")
  private boolean augSmooth;

  @Option(
      names = "--batch",
      paramLabel = "N",
      description =
          "Inputs per run of methods that run the model again (default: by the size of an input).")
  private @Nullable Integer batch;

  @Option(
      names = "--samples",
      paramLabel = "N",
      description =
          "Variants of the input that methods average over: steps of integrated-gradients, masks of"
              + " rise, noisy copies of smoothgrad (default: each method's own).")
  private @Nullable Integer samples;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "0",
      description = "Seed of random masks and noise (default: ${DEFAULT-VALUE}).")
  private long seed;

  @Option(
      names = "--pad-id",
      paramLabel = "ID",
      description =
          "Token id that occlusion replaces tokens with (default: the padding token of"
              + " --tokenizer).")
  private @Nullable Long padId;

  @Option(
      names = "--channels",
      paramLabel = "N",
      defaultValue = "0",
      description = "These methods use only the N strongest channels; 0 (default): all.")
  private int channels;

  @Option(
      names = "--concepts",
      paramLabel = "N",
      defaultValue = "0",
      description =
          "Also finds N concepts in the last layer with spatial extent (deep feature factorization)"
              + " and the model's output for each: NAME.concepts.png.")
  private int concepts;

  @Option(
      names = "--reshape",
      paramLabel = "LAYOUT",
      description =
          "Layout of the layers' outputs, if it is not detected: tokens:14x14+1 (rows x columns +"
              + " leading tokens to drop), channels-last or channels-first.")
  private @Nullable String reshape;

  private @Nullable Layout layout;

  MethodOptions() {}

  /** Whether methods were named. */
  boolean areNamed() {
    return !methods.isEmpty();
  }

  /** The methods for words at the embedding, if no method was named. */
  List<String> methodsOfWords(OptionalLong padding) {
    return padId == null && padding.isEmpty()
        ? OF_WORDS
        : Stream.concat(OF_WORDS.stream(), Stream.of("occlusion")).toList();
  }

  /** The ids; an unknown one is wrong usage. */
  List<String> methods(CommandSpec spec, boolean withoutTarget) {
    if (methods.isEmpty()) {
      return withoutTarget ? List.of() : List.of("gradcam");
    }
    List<String> wanted =
        methods.stream().filter(id -> !id.equals(NONE)).map(ModelMethods::idOf).distinct().toList();
    try {
      wanted.forEach(ModelMethods::requireKnown);
    } catch (CamException e) {
      throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
    }
    return wanted;
  }

  /** Reads the other options; impossible values are wrong usage. */
  void read(CommandSpec spec) {
    requireAtLeast(spec, "--batch", batch == null ? 1 : batch, 1);
    requireAtLeast(spec, "--samples", samples == null ? 1 : samples, 1);
    requireAtLeast(spec, "--channels", channels, 0);
    requireAtLeast(spec, "--concepts", concepts, 0);
    if (rule() == null) {
      throw new ParameterException(
          spec.commandLine(),
          "--aggregate: expected %s, found '%s'"
              .formatted(
                  String.join(
                      ", ", Arrays.stream(Aggregation.values()).map(MethodOptions::id).toList()),
                  aggregate));
    }
    if (reshape != null) {
      try {
        layout = Layout.parse(reshape);
      } catch (CamException e) {
        throw new ParameterException(spec.commandLine(), "--reshape: " + e.getMessage(), e);
      }
    }
  }

  private static void requireAtLeast(CommandSpec spec, String option, int value, int least) {
    if (value < least) {
      throw new ParameterException(
          spec.commandLine(),
          "%s: expected a number from %d on, found %d".formatted(option, least, value));
    }
  }

  private static String id(Aggregation rule) {
    return rule.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  private @Nullable Aggregation rule() {
    return Arrays.stream(Aggregation.values())
        .filter(rule -> id(rule).equals(aggregate))
        .findFirst()
        .orElse(null);
  }

  /** The named layout; null if it is to be detected. */
  @Nullable Layout layout() {
    return layout;
  }

  /**
   * How the model is run again for an input.
   *
   * @param padding the tokenizer's own padding token
   */
  RunOptions options(Tensor input, OptionalLong padding) {
    Long own = padding.isPresent() ? (Long) padding.getAsLong() : null;
    RunOptions options =
        RunOptions.forInput(input)
            .withChannels(channels)
            .withSamples(samples == null ? 0 : samples)
            .withSeed(seed)
            .withPadId(padId == null ? own : padId);
    return batch == null ? options : options.withBatch(batch);
  }

  /** The wanted number of concepts. */
  int concepts() {
    return concepts;
  }

  boolean augSmooth() {
    return augSmooth;
  }

  /** From raw maps to heatmaps. */
  Heatmaps pipeline() {
    Aggregation rule = rule();
    Heatmaps standard = Heatmaps.standard().withEigenSmooth(eigenSmooth);
    return rule == null ? standard : standard.withAggregation(rule);
  }
}
