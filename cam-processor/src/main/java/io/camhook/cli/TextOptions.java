package io.camhook.cli;

import io.camhook.explain.TextTokenizer;
import io.camhook.explain.Vocabulary;
import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Options for models that take token ids. */
final class TextOptions {
  @Option(
      names = "--tokenizer",
      paramLabel = "FILE",
      description = "tokenizer.json of a text model; token ids are shown as words.")
  private @Nullable Path file;

  TextOptions() {}

  /** Reads texts; null if no file was named. */
  @Nullable TextTokenizer tokenizer() throws IOException {
    return file == null ? null : TextTokenizer.read(file);
  }

  /** The words by their ids; null if no file was named. */
  @Nullable Vocabulary vocabulary() throws IOException {
    return file == null ? null : Vocabulary.read(file);
  }
}
