package io.camhook.recording;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelFileTest {
  /** FIPS 180-2, appendix B.1. */
  private static final String ABC =
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

  /** FIPS 180-2, appendix B.3: a million times the letter a. */
  private static final String MILLION =
      "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";

  @TempDir Path folder;

  @Test
  void hash_should_be_sha256_of_the_file() throws Exception {
    assertThat(written("abc").sha256(() -> {})).isEqualTo(ABC);
    assertThat(ModelFile.sha256(ByteBuffer.wrap("abc".getBytes(StandardCharsets.US_ASCII))))
        .isEqualTo(ABC);
  }

  @Test
  void hash_of_several_chunks_should_rest_after_each() throws Exception {
    assertThat(written("a".repeat(1_000_000)).sha256(() -> {})).isEqualTo(MILLION);
    int[] rests = new int[1];
    written("a".repeat(3 * ModelFile.CHUNK + 1)).sha256(() -> rests[0]++);
    assertThat(rests[0]).isEqualTo(3);
  }

  @Test
  void file_that_was_changed_should_have_no_hash() throws Exception {
    ModelFile file = written("abc");
    Files.writeString(file.path(), "abcd");
    assertThatThrownBy(() -> file.sha256(() -> {}))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("was changed after the model had been loaded from it");
  }

  @Test
  void directory_and_nothing_should_be_no_file() {
    assertThat(ModelFile.of(folder)).isNull();
    assertThat(ModelFile.of(folder.resolve("nothing"))).isNull();
  }

  private ModelFile written(String text) throws IOException {
    ModelFile file = ModelFile.of(Files.writeString(folder.resolve("model.pt"), text));
    assertThat(file).isNotNull();
    return file;
  }
}
