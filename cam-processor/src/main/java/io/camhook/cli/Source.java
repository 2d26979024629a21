package io.camhook.cli;

import io.camhook.recording.Capture;
import io.camhook.recording.Damage;
import io.camhook.recording.Manifest;
import io.camhook.recording.RecordingReader;
import io.camhook.report.ReportSource;
import io.camhook.report.StatsLines;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * Where explanations come from: a recording, a directory that {@code camhook process} wrote, or one
 * with statistics alone, which has none.
 */
sealed interface Source permits Source.Recording, Source.Results, Source.Steps {

  /** Takes explanations one after the other. */
  interface Sink {
    void accept(Explanation explanation) throws IOException;
  }

  Path directory();

  /** Number of captures or files there are now. */
  int size() throws IOException;

  /**
   * What this is, and in which state.
   *
   * @param captures number of captures that were read
   * @param damage what could not be read
   */
  default ReportSource described(int captures, List<String> damage) throws IOException {
    return new ReportSource(directory().toString(), captures, List.of(), List.of(), damage, true);
  }

  /**
   * Hands on every explanation.
   *
   * @return what could not be read
   */
  List<String> read(CaptureExplainer explainer, Sink sink, Progress progress) throws IOException;

  /**
   * What {@code path} is.
   *
   * @throws CommandFailure if it is neither
   */
  static Source of(Path path) throws IOException {
    if (!Files.exists(path)) {
      throw new CommandFailure(path + ": no such file or directory");
    }
    if (Files.isDirectory(path) && Files.exists(path.resolve("manifest.json"))) {
      return new Recording(path);
    }
    if (Files.isDirectory(path)) {
      List<Path> files = results(path);
      if (!files.isEmpty()) {
        return new Results(path, files);
      }
      if (StatsLines.existIn(path)) {
        return new Steps(path);
      }
    }
    throw new CommandFailure(
        "%s: expected a recording (a directory with manifest.json) or what camhook process wrote (*%s), found %s"
            .formatted(
                path,
                ExplanationFile.SUFFIX,
                Files.isDirectory(path) ? "a directory without them" : "a file"));
  }

  private static List<Path> results(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files
          .filter(file -> file.toString().endsWith(ExplanationFile.SUFFIX))
          .sorted()
          .toList();
    }
  }

  /** A recording. */
  record Recording(Path directory) implements Source {
    @Override
    public int size() throws IOException {
      try (RecordingReader reader = RecordingReader.open(directory)) {
        return reader.ids().size();
      }
    }

    @Override
    public ReportSource described(int captures, List<String> damage) throws IOException {
      try (RecordingReader reader = RecordingReader.open(directory)) {
        Manifest manifest = reader.manifest();
        return new ReportSource(
            directory.toString(),
            captures,
            manifest.models(),
            manifest.runs(),
            damage,
            manifest.isClosed());
      }
    }

    @Override
    public List<String> read(CaptureExplainer explainer, Sink sink, Progress progress)
        throws IOException {
      try (RecordingReader reader = RecordingReader.open(directory)) {
        CaptureExplainer recorded = explainer.of(reader.manifest());
        for (Capture capture = reader.next(); capture != null; capture = reader.next()) {
          for (Explanation explanation : recorded.explain(capture)) {
            sink.accept(explanation);
          }
          progress.step();
        }
        return reader.damage().stream().map(Damage::toString).map(this::located).toList();
      }
    }

    private String located(String damage) {
      return directory + ": " + damage;
    }
  }

  /** The directory of a run in which hooks looked on and nothing was captured. */
  record Steps(Path directory) implements Source {
    @Override
    public int size() {
      return 0;
    }

    @Override
    public List<String> read(CaptureExplainer explainer, Sink sink, Progress progress) {
      return List.of();
    }
  }

  /** Files of {@code camhook process}. */
  record Results(Path directory, List<Path> files) implements Source {
    @Override
    public int size() {
      return files.size();
    }

    @Override
    public List<String> read(CaptureExplainer explainer, Sink sink, Progress progress)
        throws IOException {
      List<String> damage = new ArrayList<>();
      for (Path file : files) {
        try {
          sink.accept(ExplanationFile.read(file));
        } catch (io.camhook.recording.RecordingException e) {
          damage.add(String.valueOf(e.getMessage()));
        }
        progress.step();
      }
      return damage;
    }
  }
}
