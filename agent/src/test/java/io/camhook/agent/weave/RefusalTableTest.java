package io.camhook.agent.weave;

import static org.assertj.core.api.Assertions.assertThat;

import io.camhook.dispatch.EventLog;
import io.camhook.djl.archive.ScriptModel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The table of docs/torchscript.md, against the messages of instrumenting archives. */
class RefusalTableTest {
  private static final Path ARCHIVES = Path.of("src/test/resources/torchscript");
  private static final Path RUNTIME = Path.of("../runtime/src/test/resources/torchscript");
  @TempDir Path directory;
  private final List<String> said = new ArrayList<>();

  @Test
  void messages_of_instrumenting_should_be_those_of_the_table() throws Exception {
    says("frozen, or optimized for inference", ARCHIVES.resolve("small.frozen.pt"), "conv1");
    says("no such path", ARCHIVES.resolve("no_derivative.traced.pt"), "featurs");
    says("no such operator", RUNTIME.resolve("gap_linear.traced.pt"), "features.7/rely");
    says("a path that forward does not call", RUNTIME.resolve("features/fork.scripted.pt"), "a.l");
    says("no module and no operator", net("    return x\n"), "part");
    says(
        "several values of an inlined archive fit a module",
        Path.of("../reference/torchscript/one_conv.inlined.pt"),
        "relu1");
    says("graph inlined", net("    return torch.relu(x)\n"), "part");
    says(
        "nothing to record",
        net("    part = self.part\n    _0 = (part).forward(x, )\n    return x\n"),
        "part");
    says("a branch picks the module", branch(), "part");
    byte[] nothing = {(byte) 0x80, 2, 'N', '.'};
    says("`torch.save` checkpoint", zip(Map.of("model/data.pkl", nothing)), "part");
    says(
        "torch 1.3 and older",
        zip(Map.of("model/model.json", new byte[0], "model/code/x.py", new byte[0])),
        "part");
  }

  @Test
  void message_should_be_of_one_row() throws Exception {
    for (Map.Entry<String, Pattern> row : RefusalTable.rows().entrySet()) {
      String text = row.getValue().pattern().replace("\\Q", "").replace("\\E", "");
      assertThat(RefusalTable.rows().values().stream().filter(p -> p.matcher(text).matches()))
          .as(row.getKey())
          .hasSize(1);
    }
  }

  @Test
  void row_should_be_matched_by_a_test_of_its_own() throws Exception {
    StringBuilder tests = new StringBuilder();
    try (Stream<Path> files = Files.walk(Path.of("src/test/java"))) {
      for (Path file : files.filter(f -> f.toString().endsWith("Test.java")).toList()) {
        tests.append(Files.readString(file));
      }
    }
    assertThat(RefusalTable.rows().keySet())
        .hasSizeGreaterThan(20)
        .allMatch(row -> tests.indexOf('"' + row + '"') >= 0);
  }

  private void says(String row, Path file, String layer) throws Exception {
    said.clear();
    instrument(file, layer);
    RefusalTable.assertSays(row, said);
    assertThat(said).as(row).hasSize(1);
  }

  /** A network of two parts, of which the input picks one. */
  private Path branch() throws Exception {
    String body =
        """
            if torch.gt(torch.len(torch.size(x)), 0):
              part = self.part
            else:
              part = self.other
            return (part).forward(x, )
        """;
    return SourceArchive.write(
        Files.createTempFile(directory, "net", ".pt"),
        SourceArchive.source("Tensor", "    return torch.relu(x)\n") + body);
  }

  private void instrument(Path file, String layer) {
    EventLog log = new KeptLog(said, new ArrayList<>());
    ScriptModel model = ScriptModel.of(file, List.of(layer), null, log);
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
