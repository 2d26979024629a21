package io.camhook.torchscript;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.camhook.torchscript.archive.ArchiveException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WeightShuffleTest {
  @TempDir Path folder;
  private Path file;
  private TorchScriptArchive archive;

  @BeforeEach
  void open() throws IOException {
    file = folder.resolve("one_conv.pt");
    try (InputStream in = getClass().getResourceAsStream("/torchscript/one_conv.scripted.pt")) {
      Files.copy(in, file);
    }
    archive = TorchScriptArchive.open(file);
  }

  @Test
  void shuffle_should_keep_the_values_of_a_layer_and_lose_their_order() throws IOException {
    TorchScriptArchive shuffled = shuffled("a.pt", 7);
    float[] before = values(archive, "fc1", "weight");
    float[] after = values(shuffled, "fc1", "weight");
    assertThat(after).isNotEqualTo(before);
    Arrays.sort(before);
    Arrays.sort(after);
    assertThat(after).containsExactly(before);
  }

  @Test
  void shuffle_should_leave_other_layers_and_the_code_as_they_are() throws IOException {
    TorchScriptArchive shuffled = shuffled("a.pt", 7);
    assertThat(values(shuffled, "conv1", "weight"))
        .containsExactly(values(archive, "conv1", "weight"));
    assertThat(shuffled.modules()).isEqualTo(archive.modules());
  }

  @Test
  void same_seed_should_give_the_same_copy() throws IOException {
    shuffled("a.pt", 7);
    shuffled("b.pt", 7);
    assertThat(folder.resolve("a.pt")).hasSameBinaryContentAs(folder.resolve("b.pt"));
  }

  @Test
  void unknown_module_should_be_refused() {
    assertThatThrownBy(() -> archive.writeShuffled(folder.resolve("a.pt"), List.of("fc9"), 1))
        .isInstanceOf(ArchiveException.class)
        .hasMessageContaining("no module 'fc9'");
  }

  private TorchScriptArchive shuffled(String name, long seed) throws IOException {
    archive.writeShuffled(folder.resolve(name), List.of("fc1"), seed);
    return TorchScriptArchive.open(folder.resolve(name));
  }

  private static float[] values(TorchScriptArchive of, String path, String name)
      throws IOException {
    ByteBuffer bytes = of.values(path, name).orElseThrow();
    float[] values = new float[bytes.remaining() / 4];
    bytes.asFloatBuffer().get(values);
    return values;
  }
}
