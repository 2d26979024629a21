package io.camhook.agent.weave;

import static org.assertj.core.api.Assertions.assertThat;

import io.camhook.dispatch.EventLog;
import io.camhook.djl.script.ScriptModel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The table of docs/torchscript.md, against what is said when archives are instrumented. */
class RefusalTableTest {
  private static final Path ARCHIVES = Path.of("src/test/resources/torchscript");
  private static final Path RUNTIME = Path.of("../runtime/src/test/resources/torchscript");
  @TempDir Path directory;
  private final List<String> said = new ArrayList<>();

  @Test
  void messages_of_instrumenting_should_be_those_of_the_table() throws Exception {
    instrument(ARCHIVES.resolve("small.frozen.pt"), "conv1");
    instrument(ARCHIVES.resolve("no_derivative.traced.pt"), "featurs");
    instrument(RUNTIME.resolve("features/fork.scripted.pt"), "a.l");
    instrument(net("    return x\n"), "part");
    instrument(net("    part = self.part\n    _0 = (part).forward(x, )\n    return x\n"), "part");
    instrument(zip(Map.of("model/data.pkl", new byte[] {(byte) 0x80, 2, 'N', '.'})), "part");
    instrument(
        zip(Map.of("model/model.json", new byte[0], "model/code/x.py", new byte[0])), "part");
    assertThat(said).hasSize(7);
    RefusalTable.assertDocumented(said);
    // Each by a row of its own.
    List<Pattern> rows = RefusalTable.rows();
    assertThat(said)
        .extracting(message -> rows.stream().filter(row -> row.matcher(message).matches()).toList())
        .allMatch(matching -> matching.size() == 1)
        .doesNotHaveDuplicates();
  }

  private void instrument(Path file, String layer) {
    EventLog log = new KeptLog(said, new ArrayList<>());
    ScriptModel model = ScriptModel.of(file, List.of(layer), log);
    Path copy = model == null ? null : model.file();
    if (copy != null) {
      assertThat(copy.toFile().delete()).isTrue();
    }
  }

  /** A network of two parts that return nothing. */
  private Path net(String body) throws Exception {
    return SourceArchive.write(
        Files.createTempFile(directory, "net", ".pt"), SourceArchive.PART_OF_NONE + body);
  }

  private Path zip(Map<String, byte[]> entries) throws Exception {
    return Files.write(
        Files.createTempFile(directory, "net", ".pt"), ScriptDamageTest.zip(entries));
  }
}
