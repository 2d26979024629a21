package io.camhook.agent.weave;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.regex.Pattern;

/** The messages that docs/torchscript.md promises. */
final class RefusalTable {
  private static final Path FILE = Path.of("../docs/torchscript.md");

  private RefusalTable() {}

  /** One pattern for each row that has a message in its second column. */
  static List<Pattern> rows() throws IOException {
    List<Pattern> rows = new ArrayList<>();
    for (String line : Files.readAllLines(FILE)) {
      String[] cells = line.split("\\|");
      if (cells.length > 3 && cells[2].strip().startsWith("`")) {
        String text = cells[2].strip();
        StringBuilder pattern = new StringBuilder();
        for (String part : text.substring(1, text.length() - 1).split("…", -1)) {
          pattern.append(pattern.isEmpty() && part.isEmpty() ? "" : Pattern.quote(part));
          pattern.append(".*");
        }
        rows.add(Pattern.compile(pattern.substring(0, pattern.length() - 2), Pattern.DOTALL));
      }
    }
    return rows;
  }

  static void assertDocumented(Collection<String> messages) throws IOException {
    List<Pattern> rows = rows();
    assertThat(messages)
        .as("messages in " + FILE)
        .allMatch(message -> rows.stream().anyMatch(row -> row.matcher(message).matches()));
  }
}
