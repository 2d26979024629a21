package io.camhook.cli;

import io.camhook.cam.CamException;
import io.camhook.cam.model.ModelMethods;
import io.camhook.cam.targets.Labels;
import io.camhook.cam.targets.TargetChoice;
import io.camhook.explain.ExplainException;
import io.camhook.explain.Explained;
import io.camhook.explain.Explainer;
import io.camhook.explain.InputFiles;
import io.camhook.explain.ModelInput;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
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

  private final Problems problems = new Problems();

  ExplainCommand() {}

  @Override
  public Integer call() throws IOException {
    List<String> wanted = methods();
    Labels names = labels == null ? Labels.none() : Labels.read(labels);
    TargetChoice choice = target(names);
    InputFiles files = InputFiles.of(inputs, pictures.preprocessing(spec));
    List<String> paths = layers.isEmpty() ? List.of("auto") : layers;
    try (Explainer explainer = Explainer.load(model, paths)) {
      Files.createDirectories(output);
      ExplainRun run = new ExplainRun(model, wanted, names, problems);
      try (ExplainOutput out = new ExplainOutput(output, inputs);
          Progress progress = new Progress("explain", " inputs", files.size())) {
        for (int i = 0; i < files.size(); i++) {
          explain(files, i, choice, explainer, run, out);
          progress.step();
        }
        out.finish();
        summary(out);
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
      ExplainOutput out)
      throws IOException {
    try {
      for (ModelInput input : files.read(index)) {
        Explained explained = explainer.run(input, choice);
        out.write(run.explain(explained), explained);
      }
    } catch (ExplainException | CamException e) {
      problems.add("input", String.valueOf(e.getMessage()));
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

  private void summary(ExplainOutput out) {
    PrintWriter print = spec.commandLine().getOut();
    print.printf(
        "%d inputs, %d maps, %d overlays in %s%n",
        out.inputs(), out.maps(), out.overlays(), output);
    print.flush();
  }
}
