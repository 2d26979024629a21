package io.camhook.explain;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.camhook.cam.targets.Labels;
import io.camhook.naming.Nearest;
import io.camhook.recording.Tensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.stream.LongStream;

/**
 * The words of a Hugging Face {@code tokenizer.json} (WordPiece, BPE, Unigram, WordLevel) by their
 * ids. Needs no native library. Immutable.
 */
public final class Vocabulary {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int CLOSEST = 3;

  /** How tokenizers mark the beginning of a word. */
  private static final List<String> MARKS = List.of("", "Ġ", "▁");

  private final Path file;
  private final Map<Long, String> tokens;
  private final Map<String, Long> ids;
  private final OptionalLong padding;
  private final OptionalLong mask;
  private final boolean bytes;

  private Vocabulary(Path file, JsonNode root) {
    this.file = file;
    this.tokens = new HashMap<>();
    this.ids = new HashMap<>();
    JsonNode vocabulary = root.path("model").path("vocab");
    vocabulary.properties().forEach(entry -> add(entry.getValue().asLong(), entry.getKey()));
    for (int id = 0; vocabulary.isArray() && id < vocabulary.size(); id++) {
      add(id, vocabulary.path(id).path(0).asText()); // Unigram: [piece, score]
    }
    for (JsonNode token : root.path("added_tokens")) {
      add(token.path("id").asLong(), token.path("content").asText());
    }
    JsonNode declared = root.path("padding").path("pad_id");
    this.padding = declared.isNumber() ? OptionalLong.of(declared.asLong()) : any("[PAD]", "<pad>");
    this.mask = any("[MASK]", "<mask>");
    this.bytes = root.path("decoder").toString().contains("ByteLevel");
  }

  private void add(long id, String token) {
    tokens.put(id, token);
    ids.put(token, id);
  }

  private OptionalLong any(String... names) {
    for (String name : names) {
      Long id = ids.get(name);
      if (id != null) {
        return OptionalLong.of(id);
      }
    }
    return OptionalLong.empty();
  }

  /**
   * Reads a file.
   *
   * @throws ExplainException if it is not a {@code tokenizer.json}
   */
  public static Vocabulary read(Path file) throws IOException {
    if (!Files.isRegularFile(file)) {
      throw new ExplainException(file + ": no such file; --tokenizer wants a tokenizer.json");
    }
    try {
      Vocabulary vocabulary = new Vocabulary(file, JSON.readTree(Files.readAllBytes(file)));
      if (!vocabulary.tokens.isEmpty()) {
        return vocabulary;
      }
    } catch (JsonProcessingException e) {
      throw new ExplainException(
          file + ": no tokenizer.json of Hugging Face's tokenizers: " + e.getOriginalMessage(), e);
    }
    throw new ExplainException(
        file
            + ": no tokenizer.json of Hugging Face's tokenizers: it has no model.vocab"
            + " (vocab.txt and sentencepiece files must be converted first)");
  }

  /** The word of an id as people read it; {@code #id} if the vocabulary has none. */
  public String token(long id) {
    String token = tokens.get(id);
    return token == null ? "#" + id : readable(token);
  }

  /** The words as names of the classes of a model that scores all of them. */
  public Labels labels() {
    long size = tokens.keySet().stream().mapToLong(Long::longValue).max().orElse(-1) + 1;
    return new Labels(LongStream.range(0, size).mapToObj(this::token).toList());
  }

  /** The words of token ids, in order. */
  public List<String> tokens(Tensor ids) {
    List<String> words = new ArrayList<>();
    for (float id : ids.toFloats()) {
      words.add(token((long) id));
    }
    return words;
  }

  /** The token that fills up a text, if the file names one. */
  public OptionalLong padding() {
    return padding;
  }

  /** The token that a language model is to guess, if the vocabulary has one. */
  public OptionalLong mask() {
    return mask;
  }

  /**
   * The id of a word, which may be written without the mark of a word's beginning.
   *
   * @throws ExplainException if there is none, naming the nearest
   */
  public long id(String word) {
    for (String text : List.of(word, word.toLowerCase(java.util.Locale.ROOT))) {
      for (String mark : MARKS) {
        Long id = ids.get(mark + text);
        if (id != null) {
          return id;
        }
      }
    }
    throw new ExplainException(
        "word '%s' is not in the vocabulary of %s (%d entries); nearest: %s"
            .formatted(word, file, tokens.size(), Nearest.to(word, ids.keySet(), CLOSEST)));
  }

  /**
   * Whether a token is one of the tokenizer's own, such as {@code [CLS]} or {@code </s>}, and not
   * part of the text. The report's page has the same rule.
   */
  public static boolean isSpecial(String token) {
    return token.matches("\\[(CLS|SEP|PAD|MASK|UNK|BOS|EOS)]|</?[a-z]+>|<\\|[^>]*\\|>");
  }

  /** Byte-level tokenizers write each byte of UTF-8 as a separate character. */
  private String readable(String token) {
    if (!bytes || isSpecial(token)) {
      return token;
    }
    boolean begins = token.startsWith("Ġ");
    String rest = begins ? token.substring(1) : token;
    ByteBuffer out = ByteBuffer.allocate(rest.length());
    for (int i = 0; i < rest.length(); i++) {
      int value = byteOf(rest.charAt(i));
      if (value < 0) {
        return token;
      }
      out.put((byte) value);
    }
    try {
      String text = StandardCharsets.UTF_8.newDecoder().decode(out.flip()).toString();
      return (begins ? "Ġ" : "") + text;
    } catch (CharacterCodingException e) {
      return token; // a part of a character
    }
  }

  /** GPT-2's table: printable bytes stand for themselves, the others from U+0100 on in order. */
  private static int byteOf(char c) {
    if (isPrintable(c)) {
      return c;
    }
    int left = c - 0x100;
    for (int value = 0; value < 256; value++) {
      if (!isPrintable(value) && left-- == 0) {
        return value;
      }
    }
    return -1;
  }

  private static boolean isPrintable(int c) {
    return c >= '!' && c <= '~' || c >= 0xa1 && c <= 0xac || c >= 0xae && c <= 0xff;
  }
}
