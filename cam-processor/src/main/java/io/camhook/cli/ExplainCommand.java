package io.camhook.cli;

import io.camhook.cam.CamException;
import io.camhook.explain.ExplainException;
import io.camhook.explain.Explained;
import io.camhook.explain.Explainer;
import io.camhook.explain.InputFiles;
import io.camhook.explain.Metric;
import io.camhook.explain.ModelInput;
import io.camhook.explain.Preprocessing;
import io.camhook.explain.TextTokenizer;
import io.camhook.explain.Vocabulary;
import io.camhook.recording.ModelFile;
import io.camhook.recording.ModelInfo;
import io.camhook.recording.ModuleInfo;
import io.camhook.recording.Tensor;
import io.camhook.report.MetricsTable;
import io.camhook.report.ReportCapture;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
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

/** {@code camhook explain}: explains a model without an application. */
@Command(
    name = "explain",
    description = "Runs a TorchScript or ONNX model on inputs and explains its output.",
    mixinStandardHelpOptions = true,
    versionProvider = ManifestVersion.class,
    sortOptions = false,
    usageHelpAutoWidth = true,
    footer = {
      "",
      "Written per input; NAME is the input file's name:",
      "  NAME.safetensors    logits, activation/LAYER, gradient/LAYER,",
      "                      raw/METHOD/LAYER, heatmap/METHOD; for a second target",
      "                      gradient@1/… and so on",
      "  NAME.METHOD.png     the heatmap over the picture (NAME.METHOD@1.png …)",
      "and report.html for all inputs."
    })
final class ExplainCommand implements Callable<Integer> {
  /** Methods that are most informative at the embedding of words, or need no layer. */
  private static final Set<String> AT_EMBEDDING =
      Set.of("hirescam", "integrated-gradients", "occlusion", "attention-rollout");

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
          "Picture, text (.txt, with --tokenizer), directory of these, or .safetensors with a"
              + " tensor 'input' (for several: 'input0', 'input1' …, or the names of the model's"
              + " parameters).")
  private List<Path> inputs = new ArrayList<>();

  @Option(
      names = {"-l", "--layer"},
      paramLabel = "LAYER",
      split = ",",
      description =
          "Module path or glob, may be repeated. '*': all; auto (default): the last one with a"
              + " spatial output; embedding (default for texts): the module that turns token ids"
              + " into vectors.")
  private List<String> layers = new ArrayList<>();

  @Mixin private MethodOptions wanted = new MethodOptions();

  @Mixin private TargetOptions target = new TargetOptions();

  @Mixin private PictureOptions pictures = new PictureOptions();

  @Option(
      names = {"-o", "--out"},
      paramLabel = "DIR",
      required = true,
      description = "Output directory.")
  private @SuppressWarnings("NullAway.Init") Path output;

  @Mixin private ModelOptions choice = new ModelOptions();

  @Mixin private TextOptions text = new TextOptions();

  @Mixin private MetricsOptions measured = new MetricsOptions();

  @Mixin private EngineOptions engine = new EngineOptions();

  private @Nullable Preprocessing picturesFed;

  private final Problems problems = new Problems();
  private final Set<String> notices = new HashSet<>();

  ExplainCommand() {}

  @Override
  public Integer call() throws IOException {
    List<String> named = wanted.methods(spec, target.isNone());
    Set<Metric> metrics = measured.metrics(spec);
    wanted.read(spec);
    requireDirectory(output);
    try (TextTokenizer tokenizer = text.tokenizer()) {
      target.read(spec, model, tokenizer, choice.boxes());
      return explain(named, metrics, tokenizer);
    }
  }

  private int explain(List<String> named, Set<Metric> metrics, @Nullable TextTokenizer tokenizer)
      throws IOException {
    InputFiles files = InputFiles.of(inputs, pictures.preprocessing(spec)).with(tokenizer);
    Vocabulary vocabulary = tokenizer == null ? null : tokenizer.vocabulary();
    boolean words = layers.isEmpty() && !target.isNone() && files.areWords();
    List<String> methods =
        words && !wanted.areNamed()
            ? wanted.methodsOfWords(
                vocabulary == null ? OptionalLong.empty() : vocabulary.padding())
            : named;
    List<String> paths =
        !layers.isEmpty()
            ? layers
            : List.of(words && AT_EMBEDDING.containsAll(methods) ? Explainer.EMBEDDING : "auto");
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
          Progress progress =
              new Progress("explain", " maps", (long) files.size() * Math.max(1, methods.size()))) {
        ExplainSettings settings = new ExplainSettings(wanted, interruption, progress, vocabulary);
        ExplainRun run = new ExplainRun(model, methods, target.labels(), settings, problems);
        for (int i = 0; i < files.size() && !interruption.requested(); i++) {
          explain(files, i, explainer, run, metrics, summary, out);
          progress.to((i + 1L) * Math.max(1, methods.size()));
        }
        if (!summary.isEmpty()) {
          List<MetricsTable.Curve> curves = List.of();
          if (metrics.contains(Metric.SANITY)) {
            curves = run.sanity(explainer.layers());
            curves.forEach(summary::add);
          }
          out.metrics(
              summary.table(
                  "means ± standard deviation over " + counted(out.inputs(), "input"), curves));
        }
        out.finish(described(explainer));
        print(out, interruption.requested());
      }
    }
    if (!problems.isEmpty()) {
      throw new CommandFailure(problems.text());
    }
    return 0;
  }

  /** The model as the report shows it, with the hash of its file. */
  private ModelInfo described(Explainer explainer) {
    List<ModuleInfo> modules =
        explainer.listing().modules().stream()
            .map(m -> new ModuleInfo(m.path(), m.type(), m.parameterCount(), null))
            .toList();
    ModelInfo info =
        new ModelInfo(String.valueOf(model.getFileName()), modules).on(explainer.engine());
    ModelFile file = ModelFile.of(model);
    try {
      return file == null ? info : info.hashed(file.sha256(() -> {}));
    } catch (IOException e) {
      return info.with("no hash: its file could not be read: " + e.getMessage());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return info;
    }
  }

  private static void requireDirectory(Path output) {
    if (Files.exists(output) && !Files.isDirectory(output)) {
      throw new CommandFailure(
          output + ": -o names a directory to write into, and this is a file; name another one");
    }
  }

  /** The preprocessing with the model's number of channels and size. */
  private Preprocessing pictures(Explainer explainer, CommandSpec command) {
    Preprocessing fed = pictures.preprocessing(command);
    OptionalInt channels = explainer.pictureChannels();
    if (channels.isPresent()) {
      fed = fed.withChannels(channels.getAsInt());
    }
    Optional<int[]> size = explainer.pictureSize();
    return size.isPresent() && !pictures.sizeIsNamed()
        ? fed.withSize(size.get()[0], size.get()[1])
        : fed;
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
        Explained explained = explainer.run(input, target.of(input, explainer));
        notice(explainer.notices());
        noticeLabels(explained);
        Explanation explanation = run.explain(explained);
        ReportCapture shown =
            out.write(explanation, explained, run.concepts(explained), run.labels(explained));
        say(ChoiceText.of(explained, explanation), input);
        sayWords(explanation);
        sayBoxes(BoxList.of(explained, run.labels(explained)));
        Map<String, String> numbers = new LinkedHashMap<>();
        try {
          if (!metrics.isEmpty()) {
            boolean[] mask = measured.mask(input.name());
            run.measure(explained, explanation, metrics, mask, summary, numbers);
          }
        } finally {
          out.show(explanation, shown, numbers);
        }
      }
    } catch (ExplainException | CamException e) {
      problems.add("input", files.name(index) + ": " + e.getMessage());
    } catch (CancellationException e) {
      // finished results have been written
    }
  }

  /** Prints the choices; those for layers only if they differ from the previous input's. */
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

  /** Prints each method's values for the words. */
  private void sayWords(Explanation explanation) {
    PrintWriter print = spec.commandLine().getOut();
    boolean colours = spec.commandLine().getColorScheme().ansi().enabled();
    for (Explanation.Maps maps : explanation.maps()) {
      WordMap words = WordMap.of(FedInput.words(explanation), maps.result());
      if (words != null) {
        print.printf("  %s%s: %s%n", maps.result().name(), maps.suffix(), words.strongest());
        if (colours) {
          print.println("    " + words.coloured());
        }
      }
    }
    print.flush();
  }

  /** Names that are too few or too many are probably another model's. */
  private void noticeLabels(Explained explained) {
    int names = target.labels().names().size();
    Tensor output = explained.logits().orElse(null);
    if (names == 0 || output == null || output.rank() < 2 || choice.boxes() != null) {
      return;
    }
    long classes = output.size(explained.classAxis());
    if (names != classes) {
      notice(
          List.of(
              "the labels are %d names, and output %s has %d classes, so names may be wrong; give the model's own file with --labels, one name a line in the order of the output"
                  .formatted(names, explained.outputName(), classes)));
    }
  }

  private void sayBoxes(BoxList boxes) {
    if (!boxes.text().isEmpty()) {
      spec.commandLine().getOut().println("  boxes: " + boxes.text());
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
