package io.camhook.report;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Numbers by which a reader can filter and sort captures: those that the report computes, and every
 * number in a capture's metadata. A column appears with the first capture that has it.
 */
final class Numbers {
  private static final int COLUMNS = 40;

  private final Map<String, Integer> columns = new LinkedHashMap<>();

  /**
   * The numbers of one capture, by column; shorter if its last columns are missing.
   *
   * @param further those that give way to the metadata where there are too many
   */
  double[] of(
      Map<String, Double> computed, Map<String, String> metadata, Map<String, Double> further) {
    double[] row = new double[COLUMNS];
    Arrays.fill(row, Double.NaN);
    computed.forEach((name, value) -> put(row, name, value));
    metadata.forEach(
        (name, text) -> {
          if (!text.isEmpty() && text.length() < 32 && looksLikeNumber(text)) {
            try {
              put(row, name, Double.parseDouble(text));
            } catch (NumberFormatException e) {
              return; // looked like a number
            }
          }
        });
    further.forEach((name, value) -> put(row, name, value));
    int length = COLUMNS;
    while (length > 0 && Double.isNaN(row[length - 1])) {
      length--;
    }
    return Arrays.copyOf(row, length);
  }

  private static boolean looksLikeNumber(String text) {
    char first = text.charAt(0);
    return first == '-' || first == '.' || (first >= '0' && first <= '9');
  }

  private void put(double[] row, String name, double value) {
    Integer column = columns.get(name);
    if (column == null && columns.size() < COLUMNS && Double.isFinite(value)) {
      column = columns.size();
      columns.put(name, column);
    }
    if (column != null) {
      row[column] = value;
    }
  }

  /** Field {@code numbers}: the names of the columns. */
  void write(JsonGenerator json) throws IOException {
    json.writeFieldName("numbers");
    json.writeArray(columns.keySet().toArray(new String[0]), 0, columns.size());
  }
}
