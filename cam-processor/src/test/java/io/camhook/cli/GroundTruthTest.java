package io.camhook.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.camhook.render.Picture;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GroundTruthTest {
  @TempDir Path folder;

  @Test
  void picture_should_be_known_by_its_bytes_with_its_mask() throws IOException {
    Files.createDirectories(folder.resolve("masks"));
    // white at the right pixel only
    new Picture(2, 1, new byte[] {0, 0, 0, -1, -1, -1}).writePng(folder.resolve("masks/a.png"));
    Path index = folder.resolve("pictures.json");
    // SHA-256 of the three bytes 61 62 63, the "abc" of FIPS 180-4
    Files.writeString(
        index,
        """
        {"pictures": [{"file": "a.png", "objects": [{"class": "star", "mask": "masks/a.png"}],
          "sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}]}
        """);
    GroundTruth truth = GroundTruth.read(index);
    GroundTruth.Entry entry = truth.of(new Picture(1, 1, "abc".getBytes())).orElseThrow();
    assertThat(entry.file()).isEqualTo("a.png");
    GroundTruth.Mask mask = truth.mask(entry.objects().get(0));
    assertThat(mask.label()).isEqualTo("star");
    assertThat(mask.inside()).containsExactly(false, true);
    assertThat(truth.of(new Picture(1, 1, "abd".getBytes()))).isEmpty();
  }

  @Test
  void file_without_pictures_should_be_refused() throws IOException {
    Path index = Files.writeString(folder.resolve("pictures.json"), "{}");
    assertThatThrownBy(() -> GroundTruth.read(index))
        .hasMessage(index + ": expected a list \"pictures\", found none or an empty one");
  }
}
