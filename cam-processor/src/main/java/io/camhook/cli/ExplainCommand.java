package io.camhook.cli;

import io.camhook.cam.CamException;
import io.camhook.explain.ExplainException;
import io.camhook.explain.Explained;
import io.camhook.explain.Explainer;
import io.camhook.explain.InputFiles;
import io.camhook.explain.Metric;
import io.camhook.explain.ModelInput;
import io.camhook.explain.Preprocessing;
import io.camhook.report.MetricsTable;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code camhook explain}: a model explained without an application. */
@Command(
    name = "explain",
    description = "Runs a TorchScript or ONNX model on inputs and explains what it says.",
    mixinStandardHelpOptions = true,
    versionProvider = ManifestVersion.class,
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
  @Spec
  private @SuppressWarnings("NullAway.Init") CommandSpec spec;

  @Parameters(
      index = "0",
      paramLabel = "MODEL",
      description = "TorchScript (.pt) or ONNX (.onnx) model.")
  private @SuppressWarnings("NullAway.Init") Path model;

  @Parameters(
      index = "1..*",
      paramLabel = "INPUT",
      arity = "1..*",
      description =
          "Picture, directory of pictures, or .safetensors with a tensor 'input' (several:"
              + " 'input0', 'input1' …).")
  private List<Path> inputs = new ArrayList<>();

  @Option(
      names = {"-l", "--layer"},
      paramLabel = "LAYER",
      split = ",",
      description =
          "Module path or glob, may be repeated; '*': all; auto (default): the last with a spatial"
              + " output.")
  private List<String> layers = new ArrayList<>();

  @Mixin private MethodOptions wanted = new MethodOptions();

  @Mixin private TargetOptions target = new TargetOptions();

  @Mixin private PictureOptions pictures = new PictureOptions();

  @Option(
      names = {"-o", "--out"},
      paramLabel = "DIR",
      required = true,
      description = "Where to write.")
  private @SuppressWarnings("NullAway.Init") Path output;

  @Mixin private ModelOptions choice = new ModelOptions();

  @Mixin private MetricsOptions measured = new MetricsOptions();

  @Mixin private EngineOptions engine = new EngineOptions();

  private @Nullable Preprocessing picturesFed;

  private final Problems problems = new Problems();
  private final Set<String> notices = new HashSet<>();

  ExplainCommand() {}

  @Override
  public Integer call() throws IOException {
    List<String> methods = wanted.methods(spec, target.isNone());
    Set<Metric> metrics = measured.metrics(spec);
    wanted.read(spec);
    target.read(spec);
    requireDirectory(output);
    InputFiles files = InputFiles.of(inputs, pictures.preprocessing(spec));
    List<String> paths = layers.isEmpty() ? List.of("auto") : layers;
    try (Interruption interruption = new Interruption();
        Explainer explainer =
            choice.apply(
                Explainer.load(model, paths)
                    .withLayout(wanted.layout())
                    .withLabels(target.labels().names().size()))) {
      Preprocessing fed = pictures(explainer, spec);
      files = files.with(fed);
      picturesFed = fed;
      Files.createDirectories(output);
      MetricsSummary summary = new MetricsSummary(metrics);
      try (ExplainOutput out = new ExplainOutput(output, inputs);
          Progress progress = new Progress("explain", " inputs", files.size())) {
        ExplainSettings settings = new ExplainSettings(wanted, interruption, progress);
        ExplainRun run = new ExplainRun(model, methods, target.labels(), settings, problems);
        for (int i = 0; i < files.size() && !interruption.requested(); i++) {
          explain(files, i, explainer, run, metrics, summary, out);
          progress.step();
        }
        if (!summary.isEmpty()) {
          List<MetricsTable.Curve> curves = List.of();
          if (metrics.contains(Metric.SANITY)) {
            curves = run.sanity(explainer.layers());
            curves.forEach(summary::add);
          }
          out.metrics(summary.table("means over " + counted(out.inputs(), "input"), curves));
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

  private static void requireDirectory(Path output) {
    if (Files.exists(output) && !Files.isDirectory(output)) {
      throw new CommandFailure(
          output + ": -o names a directory to write into, and this is a file; name another one");
    }
  }

  /** As many channels as the model takes. */
  private Preprocessing pictures(Explainer explainer, CommandSpec command) {
    Preprocessing usual = pictures.preprocessing(command);
    OptionalInt channels = explainer.pictureChannels();
    return channels.isPresent() ? usual.withChannels(channels.getAsInt()) : usual;
  }

  /** A file that cannot be used does not keep the others from being explained. */
  private void explain(
      InputFiles files,
      int index,
      Explainer explainer,
      ExplainRun run,
      Set<Metric> metrics,
      MetricsSummary summary,
      ExplainOutput out)
      throws IOException {
    try {
      for (ModelInput input : files.read(index)) {
        Explained explained = explainer.run(input, target.of(input.name()));
        notice(explainer.notices());
        Explanation explanation = run.explain(explained);
        out.write(explanation, explained, run.concepts(explained), target.labels());
        say(ChoiceText.of(explained, explanation), input);
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

  /** What was taken; of the layers only where it differs from the input before. */
  private void say(List<String> choices, ModelInput input) {
    PrintWriter print = spec.commandLine().getOut();
    print.println(choices.get(0));
    choices.stream().skip(1).filter(notices::add).forEach(print::println);
    print.flush();
    String notice = input.frame() == null || picturesFed == null ? null : picturesFed.notice();
    if (notice != null) {
      notice(List.of(notice));
    }
  }

  private void notice(List<String> all) {
    PrintWriter err = spec.commandLine().getErr();
    all.stream()
        .filter(notices::add)
        .forEach(notice -> err.println("camhook: " + model.getFileName() + ": " + notice));
    err.flush();
  }

  private void print(ExplainOutput out, boolean interrupted) {
    PrintWriter print = spec.commandLine().getOut();
    MetricsTable table = out.metrics();
    if (table != null) {
      print.print(MetricsSummary.text(table));
    }
    if (out.inputs() > 0) {
      print.println(
          "report: " + output.resolve("report.html").toAbsolutePath().normalize().toUri());
    }
    print.printf(
        "%s, %s, %s in %s%s%n",
        counted(out.inputs(), "input"),
        counted(out.maps(), "map"),
        counted(out.overlays(), "overlay"),
        output,
        interrupted ? " (interrupted: what was finished)" : "");
    print.flush();
  }

  private static String counted(int n, String what) {
    return n + " " + what + (n == 1 ? "" : "s");
  }
}
