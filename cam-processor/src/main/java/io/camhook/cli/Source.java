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
import org.jspecify.annotations.Nullable;

/**
 * A source of explanations: a recording, a directory written by {@code camhook process}, or a
 * directory with statistics only, which yields none.
 */
sealed interface Source permits Source.Recording, Source.Results, Source.Steps {

  /** Receives explanations one after the other, on the reading thread. */
  interface Sink {
    void accept(Explanation explanation) throws IOException;
  }

  /** Processes an explanation; called by many threads at once. */
  interface Preparation<T> {
    T of(Explanation explanation) throws IOException;
  }

  /** Receives the results one after the other, on the reading thread. */
  interface PreparedSink<T> {
    void accept(T prepared) throws IOException;
  }

  Path directory();

  /** Number of captures or files there are now. */
  int size() throws IOException;

  /**
   * A description of this source and its state.
   *
   * @param captures number of captures that were read
   * @param damage what could not be read
   */
  default ReportSource described(int captures, List<String> damage) throws IOException {
    return new ReportSource(
        directory().toString(), captures, List.of(), List.of(), damage, true, 0);
  }

  /**
   * Passes on every explanation, in the order of the captures.
   *
   * @return messages about what could not be read
   */
  default List<String> read(CaptureExplainer explainer, Sink sink, Progress progress)
      throws IOException {
    return this.<Explanation>read(explainer, each -> each, sink::accept, progress);
  }

  /**
   * Processes every explanation on all cores, and passes on the results in the order of the
   * captures.
   *
   * @return messages about what could not be read
   */
  <T> List<String> read(
      CaptureExplainer explainer,
      Preparation<T> preparation,
      PreparedSink<T> sink,
      Progress progress)
      throws IOException;

  /**
   * Opens {@code path}.
   *
   * @throws CommandFailure if it is neither
   */
  static Source of(Path path) throws IOException {
    if (!Files.exists(path)) {
      throw new CommandFailure(path + ": no such file or directory");
    }
    if (Files.isDirectory(path) && RecordingReader.existsIn(path)) {
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
        "%s: expected a recording (a directory with manifest.json) or the output of camhook process (*%s), found %s"
            .formatted(
                path,
                ExplanationFile.SUFFIX,
                Files.isDirectory(path) ? "a directory without them" : "a file"));
  }

  /** As {@link #of}, but where there is nothing yet, a recording is expected. */
  static Source awaited(Path path) throws IOException {
    if (!Files.exists(path)) {
      return new Recording(path);
    }
    if (Files.isDirectory(path)) {
      try (Stream<Path> files = Files.list(path)) {
        if (files.findAny().isEmpty()) {
          return new Recording(path);
        }
      }
    }
    return of(path);
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
      if (!RecordingReader.existsIn(directory)) {
        return new ReportSource(
            directory.toString(), captures, List.of(), List.of(), damage, false, 0);
      }
      try (RecordingReader reader = RecordingReader.open(directory)) {
        Manifest manifest = reader.manifest();
        Manifest.Removed removed = manifest.removed();
        return new ReportSource(
            directory.toString(),
            captures,
            manifest.models(),
            manifest.runs(),
            damage,
            manifest.isClosed(),
            removed == null ? 0 : removed.captures());
      }
    }

    @Override
    public <T> List<String> read(
        CaptureExplainer explainer,
        Preparation<T> preparation,
        PreparedSink<T> sink,
        Progress progress)
        throws IOException {
      try (RecordingReader reader = RecordingReader.open(directory);
          OrderedExecutor<List<T>> work =
              new OrderedExecutor<>(
                  samples -> {
                    for (T sample : samples) {
                      sink.accept(sample);
                    }
                    progress.step();
                  })) {
        CaptureExplainer recorded = explainer.of(reader.manifest());
        for (Capture capture = reader.next(); capture != null; capture = reader.next()) {
          Capture next = capture;
          work.add(
              () -> {
                List<T> prepared = new ArrayList<>();
                for (Explanation explanation : recorded.explain(next)) {
                  prepared.add(preparation.of(explanation));
                }
                return prepared;
              });
        }
        work.finish();
        return reader.damage().stream().map(Damage::toString).map(this::located).toList();
      }
    }

    private String located(String damage) {
      return directory + ": " + damage;
    }
  }

  /** The directory of a run with hooks that only looked, in which nothing was captured. */
  record Steps(Path directory) implements Source {
    @Override
    public int size() {
      return 0;
    }

    @Override
    public <T> List<String> read(
        CaptureExplainer explainer,
        Preparation<T> preparation,
        PreparedSink<T> sink,
        Progress progress) {
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
    public <T> List<String> read(
        CaptureExplainer explainer,
        Preparation<T> preparation,
        PreparedSink<T> sink,
        Progress progress)
        throws IOException {
      List<String> damage = new ArrayList<>();
      try (OrderedExecutor<Read<T>> work =
          new OrderedExecutor<>(
              read -> {
                if (read.prepared() != null) {
                  sink.accept(read.prepared());
                } else {
                  damage.add(read.damage());
                }
                progress.step();
              })) {
        for (Path file : files) {
          work.add(() -> read(file, preparation));
        }
        work.finish();
      }
      return damage;
    }

    private static <T> Read<T> read(Path file, Preparation<T> preparation) throws IOException {
      Explanation explanation;
      try {
        explanation = ExplanationFile.read(file);
      } catch (io.camhook.recording.RecordingException e) {
        return new Read<>(null, String.valueOf(e.getMessage()));
      }
      return new Read<>(preparation.of(explanation), "");
    }

    /** The explanation in a file; null if the file is damaged. */
    private record Read<T>(@Nullable T prepared, String damage) {}
  }
}
