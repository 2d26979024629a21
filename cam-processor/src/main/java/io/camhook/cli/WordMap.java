package io.camhook.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.camhook.cam.CamResult;
import io.camhook.cam.FloatMap;
import io.camhook.explain.Vocabulary;
import io.camhook.render.Picture;
import io.camhook.render.WordPicture;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The value of each word of a text: from the raw map, which has signs, if the method has exactly
 * one; otherwise from the heatmap.
 *
 * @param words the tokenizer's words
 * @param values one per word
 */
record WordMap(List<String> words, float[] values) {
  private static final int STRONGEST = 5;
  private static final String RESET = "\u001b[0m";

  /** The values of a result; null if its map does not have one value per word. */
  static @Nullable WordMap of(List<String> words, CamResult result) {
    List<FloatMap> maps = new ArrayList<>(result.raw().values());
    maps.add(result.heatmap());
    FloatMap map = result.raw().size() == 1 ? maps.get(0) : result.heatmap();
    return words.isEmpty() || map.rank() != 1 || map.values().length != words.size()
        ? null
        : new WordMap(words, map.values());
  }

  /** The text of metadata {@code tokens}. */
  static String metadata(List<String> words) {
    try {
      return new ObjectMapper().writeValueAsString(words);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e); // a list of strings
    }
  }

  /** The words on coloured backgrounds; null if this JDK has no fonts. */
  @Nullable Picture picture() {
    List<WordPicture.Word> shown = new ArrayList<>();
    for (int i = 0; i < words.size(); i++) {
      String word = words.get(i);
      shown.add(
          new WordPicture.Word(plain(word), values[i], isJoined(word), Vocabulary.isSpecial(word)));
    }
    return WordPicture.of(shown);
  }

  /** Without the marks of tokenizers: {@code ##ing}, {@code Ġword}, {@code ▁word}. */
  private static String plain(String word) {
    String text = word.replaceFirst("^##", "").replaceFirst("^[Ġ▁]", "");
    return text.isEmpty() ? "␣" : text;
  }

  private boolean isJoined(String word) {
    boolean marked = words.stream().anyMatch(each -> each.matches("[Ġ▁].*"));
    return word.startsWith("##") || marked && !word.matches("[Ġ▁].*");
  }

  /** The words with the largest values. */
  String strongest() {
    return IntStream.range(0, words.size())
        .boxed()
        .filter(i -> values[i] != 0)
        .sorted(Comparator.comparingDouble(i -> -Math.abs(values[i])))
        .limit(STRONGEST)
        .map(i -> String.format(Locale.ROOT, "%s %+.3g", plain(words.get(i)), values[i]))
        .collect(Collectors.joining(", "));
  }

  /** The text for a terminal with 24-bit colours. */
  String coloured() {
    float most = 0;
    for (float value : values) {
      most = Math.max(most, Math.abs(value));
    }
    StringBuilder line = new StringBuilder();
    for (int i = 0; i < words.size(); i++) {
      String word = words.get(i);
      if (i > 0 && !isJoined(word)) {
        line.append(' ');
      }
      float share = most == 0 ? 0 : values[i] / most;
      int strength = Math.round(255 * (1 - Math.abs(share)));
      if (Vocabulary.isSpecial(word)) {
        line.append("\u001b[2m"); // dim
      }
      line.append(
          share < 0
              ? "\u001b[48;2;%d;%d;255;38;2;0;0;0m".formatted(strength, strength)
              : "\u001b[48;2;255;%d;%d;38;2;0;0;0m".formatted(strength, strength));
      line.append(plain(word)).append(RESET);
    }
    return line.toString();
  }
}
