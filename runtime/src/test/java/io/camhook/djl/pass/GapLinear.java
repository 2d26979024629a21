package io.camhook.djl.pass;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.pytorch.engine.PtSymbolBlock;
import io.camhook.torchscript.TorchScriptArchive;
import io.camhook.torchscript.twin.InstrumentedArchive;
import io.camhook.torchscript.twin.TapPlan;
import java.nio.FloatBuffer;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * A fixture that ends in global average pooling over {@code features} and a linear layer, in an
 * edition of its code, loaded with {@code features} recorded.
 *
 * @param copy the instrumented archive
 * @param weight the linear layer's, {@code [8,48]}
 */
record GapLinear(Path copy, TapPlan plan, PtSymbolBlock block, FloatBuffer weight) {
  /**
   * Loads it.
   *
   * @param folder for the edited and the instrumented archive
   * @param code the file to edit, below {@code __torch__}
   * @param edits replacement text by original text
   */
  static GapLinear load(TorchRun run, Path folder, String code, Map<String, String> edits)
      throws Exception {
    Path edited = folder.resolve("edited.pt");
    Files.copy(Path.of("src/test/resources/torchscript/gap_linear.traced.pt"), edited);
    try (FileSystem zip = FileSystems.newFileSystem(edited, Map.of("noCompression", "true"))) {
      Path file = zip.getPath("gap_linear.traced", "code", "__torch__", code);
      String text = Files.readString(file);
      for (Map.Entry<String, String> edit : edits.entrySet()) {
        assertThat(text).contains(edit.getKey());
        text = text.replace(edit.getKey(), edit.getValue());
      }
      Files.writeString(file, text);
    }
    TorchScriptArchive archive = TorchScriptArchive.open(edited);
    InstrumentedArchive instrumented = archive.instrument(List.of("features"));
    Path copy = folder.resolve("copy.pt");
    instrumented.write(copy);
    FloatBuffer weight = archive.values("fc", "weight").orElseThrow().asFloatBuffer();
    return new GapLinear(copy, instrumented.plan(), run.load(copy), weight);
  }
}
