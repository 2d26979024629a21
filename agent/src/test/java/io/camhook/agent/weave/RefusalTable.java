package io.camhook.agent.weave;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Pattern;

/** The messages that docs/torchscript.md promises, by their subject. */
final class RefusalTable {
  private static final Path FILE = Path.of("../docs/torchscript.md");

  private RefusalTable() {}

  /** For each row with a message: its subject, without examples in brackets, and a pattern. */
  static Map<String, Pattern> rows() throws IOException {
    Map<String, Pattern> rows = new LinkedHashMap<>();
    for (String line : Files.readAllLines(FILE)) {
      String[] cells = line.split("\\|");
      if (cells.length > 3 && cells[2].strip().startsWith("`")) {
        String text = cells[2].strip();
        StringBuilder pattern = new StringBuilder();
        for (String part : text.substring(1, text.length() - 1).split("…", -1)) {
          pattern.append(pattern.isEmpty() && part.isEmpty() ? "" : Pattern.quote(part));
          pattern.append(".*");
        }
        pattern.setLength(pattern.length() - 2);
        rows.put(
            cells[1].strip().replaceAll(" \\(.*", ""),
            Pattern.compile(pattern.toString(), Pattern.DOTALL));
      }
    }
    return rows;
  }

  /** There are messages, and each one matches the row. */
  static void assertSays(String row, Collection<String> messages) throws IOException {
    Pattern pattern = Objects.requireNonNull(rows().get(row), () -> "no row '" + row + "'");
    assertThat(messages)
        .as("messages of '" + row + "' in " + FILE)
        .isNotEmpty()
        .allMatch(message -> pattern.matcher(message).matches());
  }
}
