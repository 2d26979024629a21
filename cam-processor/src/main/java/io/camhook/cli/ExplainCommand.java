package io.camhook.cli;

import io.camhook.cam.CamException;
import io.camhook.cam.Layout;
import io.camhook.cam.model.ModelMethods;
import io.camhook.cam.targets.Labels;
import io.camhook.cam.targets.TargetChoice;
import io.camhook.explain.ExplainException;
import io.camhook.explain.Explained;
import io.camhook.explain.Explainer;
import io.camhook.explain.InputFiles;
import io.camhook.explain.Metric;
import io.camhook.explain.ModelInput;
import io.camhook.report.MetricsTable;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code camhook explain}: a TorchScript model explained without an application. */
@Command(
    name = "explain",
    description = "Runs a TorchScript model on inputs and explains what it says.",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    sortOptions = false,
    usageHelpAutoWidth = true,
    footer = {
      "",
      "Written per input, with NAME that of its file:",
      "  NAME.safetensors    logits, activation/LAYER, gradient/LAYER, raw/METHOD/LAYER,",
      "                      heatmap/METHOD; of the second target gradient@1/… and so on",
      "  NAME.METHOD.png     the heatmap over the picture (NAME.METHOD@1.png …)",
      "and report.html over all of them."
    })
final class ExplainCommand implements Callable<Integer> {
  private static final String NONE = "none";

  @Spec
  private @SuppressWarnings("NullAway.Init") CommandSpec spec;

  @Parameters(index = "0", paramLabel = "MODEL.pt", description = "TorchScript model.")
  private @SuppressWarnings("NullAway.Init") Path model;

  @Parameters(
      index = "1..*",
      paramLabel = "INPUT",
      arity = "1..*",
      description =
          "Picture, directory of pictures, or .safetensors with a tensor 'input' (several: 'input0', 'input1' …).")
  private List<Path> inputs = new ArrayList<>();

  @Option(
      names = {"-l", "--layer"},
      paramLabel = "LAYER",
      split = ",",
      description =
          "Module path or glob, may be repeated; '*': all; auto (default): the last with a spatial output.")
  private List<String> layers = new ArrayList<>();

  @Option(
      names = {"-m", "--method"},
      paramLabel = "METHOD",
      split = ",",
      description =
          "Method, may be repeated (default: gradcam); none: activations and gradients only.")
  private List<String> methods = new ArrayList<>();

  @Option(
      names = {"-t", "--target"},
      paramLabel = "TARGET",
      defaultValue = "top1",
      description =
          "What is explained: top1, topN, class:N, label:S, softmax:N, difference:N,M …; none: nothing, the model runs only as far as the last layer (default: ${DEFAULT-VALUE}).")
  private String target = "top1";

  @Option(names = "--labels", paramLabel = "FILE", description = "Class names, one a line.")
  private @Nullable Path labels;

  @Mixin private PictureOptions pictures = new PictureOptions();

  @Option(
      names = {"-o", "--output"},
      paramLabel = "DIR",
      required = true,
      description = "Where to write.")
  private @SuppressWarnings("NullAway.Init") Path output;

  @Option(
      names = "--reshape",
      paramLabel = "LAYOUT",
      description =
          "Layout of the layers' outputs, if it is not found: tokens:14x14+1 (rows x columns + tokens dropped in front), channels-last or channels-first.")
  private @Nullable String reshape;

  @Option(
      names = "--batch",
      paramLabel = "N",
      description =
          "Inputs per run of methods that run the model again (default: by the size of an input).")
  private @Nullable Integer batch;

  @Option(
      names = "--channels",
      paramLabel = "N",
      defaultValue = "0",
      description = "Such methods take only the N strongest channels; 0, the default: all.")
  private int channels;

  @Option(
      names = "--eigen-smooth",
      description = "Takes the first principal component of the channels' terms, not their sum.")
  private boolean eigenSmooth;

  @Mixin private MetricsOptions measured = new MetricsOptions();

  private final Problems problems = new Problems();

  ExplainCommand() {}

  @Override
  public Integer call() throws IOException {
    List<String> wanted = methods();
    Set<Metric> metrics = measured.metrics(spec);
    Labels names = labels == null ? Labels.none() : Labels.read(labels);
    TargetChoice choice = target(names);
    Layout layout = layout();
    requireAtLeast("--batch", batch == null ? 1 : batch, 1);
    requireAtLeast("--channels", channels, 0);
    InputFiles files = InputFiles.of(inputs, pictures.preprocessing(spec));
    List<String> paths = layers.isEmpty() ? List.of("auto") : layers;
    try (Interruption interruption = new Interruption();
        Explainer explainer = Explainer.load(model, paths).withLayout(layout)) {
      Files.createDirectories(output);
      MetricsSummary summary = new MetricsSummary(metrics);
      try (ExplainOutput out = new ExplainOutput(output, inputs);
          Progress progress = new Progress("explain", " inputs", files.size())) {
        ExplainRun run =
            new ExplainRun(
                model,
                wanted,
                names,
                new ExplainSettings(batch, channels, eigenSmooth, interruption, progress),
                problems);
        for (int i = 0; i < files.size() && !interruption.requested(); i++) {
          explain(files, i, choice, explainer, run, metrics, summary, out);
          progress.step();
        }
        if (!summary.isEmpty()) {
          out.metrics(summary.table("means over %d inputs".formatted(out.inputs())));
        }
        out.finish();
        print(out, interruption.requested());
      }
    }
    if (!problems.isEmpty()) {
      throw new CommandFailure(problems.text());
    }
    return 0;
  }

  /** A file that cannot be used does not keep the others from being explained. */
  private void explain(
      InputFiles files,
      int index,
      @Nullable TargetChoice choice,
      Explainer explainer,
      ExplainRun run,
      Set<Metric> metrics,
      MetricsSummary summary,
      ExplainOutput out)
      throws IOException {
    try {
      for (ModelInput input : files.read(index)) {
        Explained explained = explainer.run(input, choice);
        Explanation explanation = run.explain(explained);
        out.write(explanation, explained);
        if (!metrics.isEmpty()) {
          boolean[] mask = measured.mask(input.name());
          run.measure(explained, explanation, metrics, mask, summary);
        }
      }
    } catch (ExplainException | CamException e) {
      problems.add("input", files.name(index) + ": " + e.getMessage());
    } catch (CancellationException e) {
      // what is finished has been written
    }
  }

  private @Nullable Layout layout() {
    if (reshape == null) {
      return null;
    }
    try {
      return Layout.parse(reshape);
    } catch (CamException e) {
      throw new ParameterException(spec.commandLine(), "--reshape: " + e.getMessage(), e);
    }
  }

  private void requireAtLeast(String option, int value, int least) {
    if (value < least) {
      throw new ParameterException(
          spec.commandLine(),
          "%s: expected a number from %d on, found %d".formatted(option, least, value));
    }
  }

  private List<String> methods() {
    if (methods.isEmpty()) {
      return target.equals(NONE) ? List.of() : List.of("gradcam");
    }
    List<String> wanted = methods.stream().filter(id -> !id.equals(NONE)).distinct().toList();
    try {
      wanted.forEach(ModelMethods::requireKnown);
    } catch (CamException e) {
      throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
    }
    return wanted;
  }

  private @Nullable TargetChoice target(Labels names) {
    if (target.equals(NONE)) {
      return null;
    }
    try {
      return TargetChoice.parse(target, names);
    } catch (CamException e) {
      throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
    }
  }

  private void print(ExplainOutput out, boolean interrupted) {
    PrintWriter print = spec.commandLine().getOut();
    MetricsTable table = out.metrics();
    if (table != null) {
      print.print(MetricsSummary.text(table));
    }
    print.printf(
        "%d inputs, %d maps, %d overlays in %s%s%n",
        out.inputs(),
        out.maps(),
        out.overlays(),
        output,
        interrupted ? " (interrupted: what was finished)" : "");
    print.flush();
  }
}
