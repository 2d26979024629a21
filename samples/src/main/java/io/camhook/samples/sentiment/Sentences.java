package io.camhook.samples.sentiment;

import ai.djl.util.JsonUtils;
import com.google.gson.reflect.TypeToken;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Sentences from reviews with their sentiment, and the words for a tokenizer.
 *
 * @param training what the network learns from
 * @param unseen every tenth sentence, which it does not learn from
 */
record Sentences(List<Sentence> training, List<Sentence> unseen) {
  private static final int SEED = 7;
  private static final int UNSEEN = 10;
  private static final int RARE = 2;
  private static final List<String> SPECIAL = List.of("[PAD]", "[UNK]", "[CLS]", "[SEP]");

  /** The words and single signs that BertPreTokenizer makes of lower-case text. */
  private static final Pattern WORD = Pattern.compile("[\\p{L}\\p{N}]+|[^\\s\\p{L}\\p{N}]");

  /**
   * One sentence.
   *
   * @param text as it was written
   * @param positive whether the writer was pleased
   */
  record Sentence(String text, boolean positive) {}

  /** Reads {@code amazon.json}, {@code imdb.json} and {@code yelp.json} of a directory. */
  static Sentences read(Path directory) throws IOException {
    List<Sentence> all = new ArrayList<>();
    for (String file : List.of("amazon.json", "imdb.json", "yelp.json")) {
      List<Map<String, Object>> rows =
          JsonUtils.GSON.fromJson(
              Files.readString(directory.resolve(file)),
              new TypeToken<List<Map<String, Object>>>() {}.getType());
      for (Map<String, Object> row : rows) {
        if (row.get("class") instanceof Number sentiment) { // a few rows have none
          all.add(new Sentence((String) row.get("text"), sentiment.intValue() == 1));
        }
      }
    }
    Collections.shuffle(all, new Random(SEED));
    List<Sentence> training = new ArrayList<>();
    List<Sentence> unseen = new ArrayList<>();
    for (int i = 0; i < all.size(); i++) {
      (i % UNSEEN == 0 ? unseen : training).add(all.get(i));
    }
    return new Sentences(training, unseen);
  }

  /** A {@code tokenizer.json} of the words that occur at least twice in the training sentences. */
  String tokenizer() {
    Map<String, Integer> counts = new TreeMap<>();
    for (Sentence sentence : training) {
      WORD.matcher(sentence.text().toLowerCase(java.util.Locale.ROOT))
          .results()
          .forEach(word -> counts.merge(word.group(), 1, Integer::sum));
    }
    List<String> words = new ArrayList<>(SPECIAL);
    counts.forEach(
        (word, count) -> {
          if (count >= RARE) {
            words.add(word);
          }
        });
    String vocabulary =
        java.util.stream.IntStream.range(0, words.size())
            .mapToObj(id -> JsonUtils.GSON.toJson(words.get(id)) + ":" + id)
            .collect(Collectors.joining(","));
    String added =
        java.util.stream.IntStream.range(0, SPECIAL.size())
            .mapToObj(
                id ->
                    "{\"id\":%d,\"content\":\"%s\",\"single_word\":false,\"lstrip\":false,\"rstrip\":false,\"normalized\":false,\"special\":true}"
                        .formatted(id, SPECIAL.get(id)))
            .collect(Collectors.joining(","));
    return """
    {"version":"1.0","truncation":null,"padding":null,
     "added_tokens":[%s],
     "normalizer":{"type":"BertNormalizer","clean_text":true,"handle_chinese_chars":false,"strip_accents":false,"lowercase":true},
     "pre_tokenizer":{"type":"BertPreTokenizer"},
     "post_processor":{"type":"BertProcessing","sep":["[SEP]",3],"cls":["[CLS]",2]},
     "decoder":null,
     "model":{"type":"WordLevel","unk_token":"[UNK]","vocab":{%s}}}
    """
        .formatted(added, vocabulary);
  }
}
