package io.camhook.cli;

import io.camhook.kafka.TopicReader;
import io.camhook.recording.Capture;
import io.camhook.recording.Damage;
import io.camhook.recording.Manifest;
import io.camhook.recording.ModelInfo;
import io.camhook.recording.RecordingReader;
import io.camhook.recording.Tensor;
import io.camhook.recording.TensorName;
import io.camhook.render.Picture;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code camhook process}: maps of every capture as files. */
@Command(
    name = "process",
    description = {
      "Computes heatmaps of every capture of a recording or a topic and writes them as files.",
      "Processes with the same --group share a topic's captures. Finished work is",
      "committed, so another process continues if one is killed."
    },
    mixinStandardHelpOptions = true,
    versionProvider = ManifestVersion.class,
    sortOptions = false,
    usageHelpAutoWidth = true,
    footer = {
      "",
      "Written per capture; NAME is its id:",
      "  NAME.safetensors    image, logits, raw/METHOD/LAYER, heatmap/METHOD;",
      "                      for a second target raw@1/…, heatmap@1/… and so on",
      "  NAME.METHOD.png     the heatmap over the picture (NAME.METHOD@1.png …),",
      "                      behind the lines of a signal, over the slices of a volume"
    })
final class ProcessCommand implements Callable<Integer> {
  @Spec
  private @SuppressWarnings("NullAway.Init") CommandSpec spec;

  @Parameters(
      paramLabel = "RECORDING|kafka:BOOTSTRAP/TOPIC",
      description = "Directory that the agent recorded into, or a topic that it sent to.")
  private @SuppressWarnings("NullAway.Init") String input;

  @Mixin private ExplainOptions explain = new ExplainOptions();

  @Option(
      names = {"-o", "--output"},
      paramLabel = "DIR",
      required = true,
      description = "Output directory.")
  private @SuppressWarnings("NullAway.Init") Path output;

  @Option(
      names = "--follow",
      description =
          "Keep reading while the recording grows, until its writer closes it; wait if it does not"
              + " exist yet. For a topic: continue until interrupted. Captures that are already in"
              + " DIR are skipped.")
  private boolean follow;

  @Option(
      names = "--forever",
      description =
          "With --follow: after the writer has closed the recording, wait for the next one.")
  private boolean forever;

  @Mixin private TopicOptions topic = new TopicOptions();

  private final Problems problems = new Problems();
  private final Map<String, Integer> maps = new TreeMap<>();
  private @SuppressWarnings("NullAway.Init") CaptureExplainer explainer;
  private @Nullable Manifest manifest;
  private int captures;
  private int known;
  private int pictures;
  private int samples;

  ProcessCommand() {}

  @Override
  public Integer call() throws IOException, InterruptedException {
    explainer = explain.explainer(spec);
    TopicAddress address = topic.address(spec, input);
    try (Interruption interruption = new Interruption()) {
      if (address == null) {
        read(Path.of(input), interruption);
      } else {
        read(address, interruption);
      }
    }
    if (captures == 0 && known == 0 && problems.isEmpty() && address == null) {
      throw new CommandFailure(
          input + ": the recording holds no capture; was the model called, and sampled?");
    }
    summary();
    if (!problems.isEmpty()) {
      throw new CommandFailure(problems.text());
    }
    return 0;
  }

  private void read(Path recording, Interruption interruption)
      throws IOException, InterruptedException {
    RecordingReader opened =
        follow
            ? RecordingReader.await(recording, interruption::requested)
            : RecordingReader.open(recording);
    if (opened == null) {
      return;
    }
    try (RecordingReader reader = opened) {
      int expected = follow ? -1 : reader.ids().size();
      try (Progress progress = new Progress("process", " captures", expected);
          OrderedExecutor<List<Written>> work = work(progress)) {
        Files.createDirectories(output);
        for (Capture capture = next(reader, interruption);
            capture != null && !interruption.requested();
            capture = next(reader, interruption)) {
          describe(follow ? reader.manifest(capture) : reader.manifest());
          Capture one = capture;
          CaptureExplainer by = explainer;
          work.add(() -> write(one, by, follow));
        }
        work.finish();
      }
      for (Damage damage : reader.damage()) {
        problems.add("damage", recording + ": " + damage);
      }
    }
  }

  private @Nullable Capture next(RecordingReader reader, Interruption interruption)
      throws IOException, InterruptedException {
    return follow ? reader.follow(interruption::requested, forever) : reader.next();
  }

  /** Uses the module types, if known, for the maps of all further captures. */
  private void describe(Manifest now) {
    if (now != manifest) {
      manifest = now;
      explainer = explainer.of(now);
    }
  }

  private void describe(@Nullable ModelInfo model) {
    if (model != null && (manifest == null || !manifest.models().contains(model))) {
      describe(new Manifest(Manifest.FORMAT_VERSION, List.of(model), List.of(), null));
    }
  }

  /** As a member of a group: commits what was written, and gets the rest again. */
  private void read(TopicAddress address, Interruption interruption) throws IOException {
    Files.createDirectories(output);
    try (TopicReader reader = topic.open(address);
        Progress progress = new Progress("process", " captures", -1);
        OrderedExecutor<List<Written>> work = work(progress)) {
      while (!interruption.requested()) {
        List<TopicReader.Received> received = reader.poll(TopicOptions.POLL);
        if (received.isEmpty() && !follow && reader.isCaughtUp()) {
          return;
        }
        for (TopicReader.Received each : received) {
          Capture capture = each.capture();
          if (capture == null) {
            problems.add("damage", input + ": " + each.damage());
            progress.step();
          } else {
            describe(each.model());
            CaptureExplainer by = explainer;
            work.add(() -> write(capture, by, true));
          }
        }
        work.finish();
        if (!received.isEmpty()) {
          reader.commit();
        }
      }
    }
  }

  /**
   * Writes the maps of a capture, on a worker's thread.
   *
   * @param once whether to skip the capture if the same maps already exist
   * @return one for each sample; none if it was skipped
   */
  private List<Written> write(Capture capture, CaptureExplainer by, boolean once)
      throws IOException {
    List<Written> written = new ArrayList<>();
    if (once && isWritten(capture, by)) {
      return written;
    }
    List<Explanation> explanations = by.explain(capture);
    for (int sample = 0; sample < explanations.size(); sample++) {
      written.add(write(explanations.get(sample), input(capture, sample)));
    }
    return written;
  }

  private OrderedExecutor<List<Written>> work(Progress progress) {
    return new OrderedExecutor<>(
        written -> {
          if (written.isEmpty()) {
            known++;
          } else {
            captures++;
          }
          written.forEach(this::count);
          progress.step();
        });
  }

  private boolean isWritten(Capture capture, CaptureExplainer by) throws IOException {
    for (String name : by.names(capture)) {
      if (!ExplanationFile.isMadeBy(output, name, explain.asked())) {
        return false;
      }
    }
    return true;
  }

  /** The files written for a sample, and the number of pictures. */
  private record Written(Explanation explanation, int pictures) {}

  private void count(Written written) {
    Explanation explanation = written.explanation();
    samples++;
    pictures += written.pictures();
    explanation
        .problems()
        .forEach((method, why) -> problems.add(method, explanation.name() + ": " + why));
    explanation.maps().forEach(each -> maps.merge(each.result().method(), 1, Integer::sum));
  }

  private Written write(Explanation explanation, @Nullable Tensor input) throws IOException {
    int count = 0;
    for (Explanation.Maps each : explanation.maps()) {
      Picture overlay = MapPicture.of(explanation, each.result(), input);
      if (overlay != null) {
        byte[] png = overlay.png();
        AtomicFile.write(
            output.resolve(
                "%s.%s%s.png".formatted(explanation.name(), each.result().method(), each.suffix())),
            file -> Files.write(file, png));
        count++;
      }
    }
    // written last: if it exists, everything does
    ExplanationFile.write(output, explanation, explain.asked());
    return new Written(explanation, count);
  }

  /** The input of this sample, without the batch dimension; null if not recorded. */
  private static @Nullable Tensor input(Capture capture, int sample) {
    Tensor batch = capture.tensor(TensorName.input(0)).orElse(null);
    if (batch == null || batch.rank() < 2 || sample >= batch.size(0)) {
      return null;
    }
    long[] shape = Arrays.copyOfRange(batch.shape(), 1, batch.rank());
    int size = Math.toIntExact(batch.elements() / batch.size(0));
    return Tensor.ofFloats(
        Arrays.copyOfRange(batch.toFloats(), sample * size, (sample + 1) * size), shape);
  }

  private void summary() {
    PrintWriter out = spec.commandLine().getOut();
    out.printf(
        "%d captures%s, %d overlays in %s%n",
        captures, samples == captures ? "" : " of " + samples + " samples", pictures, output);
    if (known > 0) {
      out.printf("%d captures were there already%n", known);
    }
    maps.forEach((method, count) -> out.printf("  %-20s %d maps%n", method, count));
    out.flush();
  }
}
