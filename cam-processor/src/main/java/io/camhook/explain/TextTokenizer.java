package io.camhook.explain;

import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import ai.djl.huggingface.tokenizers.jni.CharSpan;
import io.camhook.recording.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Turns texts into token ids with a {@code tokenizer.json}, using DJL's binding to Hugging Face's
 * tokenizers. The native library is loaded with the first text. Not thread-safe.
 */
public final class TextTokenizer implements AutoCloseable {
  static final String IDS = "input_ids";
  static final String MASK = "attention_mask";
  static final String TYPES = "token_type_ids";

  /** Separates two texts that are one input, such as a question and its context. */
  private static final String PAIR = "\t";

  private final Path file;
  private final Vocabulary vocabulary;
  private @Nullable HuggingFaceTokenizer tokenizer;

  private TextTokenizer(Path file, Vocabulary vocabulary) {
    this.file = file;
    this.vocabulary = vocabulary;
  }

  /**
   * Reads a file.
   *
   * @throws ExplainException if it is not a {@code tokenizer.json}
   */
  public static TextTokenizer read(Path file) throws IOException {
    return new TextTokenizer(file, Vocabulary.read(file));
  }

  /** The words by their ids. */
  public Vocabulary vocabulary() {
    return vocabulary;
  }

  /**
   * A text as an input with the tensors {@code input_ids}, {@code attention_mask} and {@code
   * token_type_ids}, {@code [1,T]} each, of int64.
   *
   * @param text one text, or two with a tab between them
   */
  public ModelInput input(String name, String text) throws IOException {
    String[] parts = text.strip().split(PAIR, 2);
    Encoding encoding =
        parts.length == 2 ? opened().encode(parts[0], parts[1]) : opened().encode(parts[0]);
    long length = encoding.getIds().length;
    if (length == 0) {
      throw new ExplainException(name + ": the text is empty: it has no token");
    }
    return ModelInput.ofText(
        name,
        List.of(IDS, MASK, TYPES),
        List.of(
            Tensor.ofLongs(encoding.getIds(), 1, length),
            Tensor.ofLongs(encoding.getAttentionMask(), 1, length),
            Tensor.ofLongs(encoding.getTypeIds(), 1, length)),
        words(encoding, parts));
  }

  /** The vocabulary's words, or those of the text if the vocabulary has none. */
  private List<String> words(Encoding encoding, String[] parts) {
    List<String> words = new ArrayList<>();
    long[] ids = encoding.getIds();
    long[] sequences = encoding.getSequenceIds();
    for (int i = 0; i < ids.length; i++) {
      String word = vocabulary.token(ids[i]);
      CharSpan span = encoding.getCharTokenSpans()[i];
      boolean unknown = Vocabulary.isSpecial(word) && encoding.getSpecialTokenMask()[i] == 0;
      if (unknown && span != null) {
        String part = parts[sequences[i] == 1 && parts.length > 1 ? 1 : 0];
        word = substring(part, span.getStart(), span.getEnd());
      }
      words.add(word);
    }
    return words;
  }

  /** Spans count Unicode characters, not Java's. */
  private static String substring(String text, int from, int to) {
    int length = text.codePointCount(0, text.length());
    int begin = Math.min(Math.max(0, from), length);
    int end = Math.min(Math.max(begin, to), length);
    return text.substring(text.offsetByCodePoints(0, begin), text.offsetByCodePoints(0, end));
  }

  private HuggingFaceTokenizer opened() throws IOException {
    HuggingFaceTokenizer open = tokenizer;
    if (open == null) {
      try {
        open = HuggingFaceTokenizer.newInstance(file);
      } catch (LinkageError e) {
        throw new ExplainException(
            "the native library of ai.djl.huggingface:tokenizers cannot be loaded, so texts cannot"
                + " be read; give the ids as a .safetensors: "
                + e.getMessage(),
            e);
      } catch (RuntimeException e) {
        throw new ExplainException(file + ": the tokenizer cannot be read: " + e.getMessage(), e);
      }
      tokenizer = open;
    }
    return open;
  }

  @Override
  public void close() {
    if (tokenizer != null) {
      tokenizer.close();
      tokenizer = null;
    }
  }
}
