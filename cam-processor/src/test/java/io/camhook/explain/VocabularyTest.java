package io.camhook.explain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.camhook.recording.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class VocabularyTest {
  @TempDir Path folder;

  @Test
  void word_pieces_should_be_read_with_added_tokens() throws IOException {
    Vocabulary vocabulary =
        read(
            """
            {"added_tokens": [{"id": 3, "content": "[MASK]", "special": true}],
             "padding": null,
             "model": {"type": "WordPiece", "vocab": {"[PAD]": 0, "good": 1, "##ness": 2}}}
            """);
    assertThat(vocabulary.tokens(Tensor.ofLongs(new long[] {1, 2, 3, 9}, 1, 4)))
        .containsExactly("good", "##ness", "[MASK]", "#9");
    assertThat(vocabulary.padding()).hasValue(0);
    assertThat(vocabulary.mask()).hasValue(3);
    assertThat(vocabulary.id("Good")).isEqualTo(1);
    assertThatThrownBy(() -> vocabulary.id("goo"))
        .hasMessageContaining("word 'goo' is not in the vocabulary")
        .hasMessageContaining("good");
  }

  @Test
  void unigram_pieces_should_have_their_place_as_id() throws IOException {
    Vocabulary vocabulary =
        read(
            """
            {"padding": {"pad_id": 1},
             "model": {"type": "Unigram", "vocab": [["<unk>", 0], ["<pad>", 0], ["▁good", -2.5]]}}
            """);
    assertThat(vocabulary.token(2)).isEqualTo("▁good");
    assertThat(vocabulary.id("good")).isEqualTo(2);
    assertThat(vocabulary.padding()).hasValue(1);
  }

  /** GPT-2 writes the bytes of UTF-8 as characters: é is C3 A9, which are Ã and ©. */
  @Test
  void bytes_should_become_characters_again() throws IOException {
    Vocabulary vocabulary =
        read(
            """
            {"decoder": {"type": "ByteLevel"},
             "model": {"type": "BPE", "vocab": {"ĠcafÃ©": 0, "Ã": 1, "<|endoftext|>": 2}}}
            """);
    assertThat(vocabulary.token(0)).isEqualTo("Ġcafé");
    assertThat(vocabulary.token(1)).isEqualTo("Ã");
    assertThat(vocabulary.token(2)).isEqualTo("<|endoftext|>");
  }

  @Test
  void other_files_should_be_refused() throws IOException {
    assertThatThrownBy(() -> read("{\"model\": {}}"))
        .isInstanceOf(ExplainException.class)
        .hasMessageContaining("no tokenizer.json");
    assertThatThrownBy(() -> read("[CLS]\n[SEP]\n")).hasMessageContaining("no tokenizer.json");
    assertThatThrownBy(() -> Vocabulary.read(folder.resolve("nowhere")))
        .hasMessageContaining("no such file");
  }

  private Vocabulary read(String json) throws IOException {
    return Vocabulary.read(Files.writeString(folder.resolve("tokenizer.json"), json));
  }
}
