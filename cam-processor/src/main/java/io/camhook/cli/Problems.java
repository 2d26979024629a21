package io.camhook.cli;

import java.util.LinkedHashMap;
import java.util.Map;

/** Problems with captures, summarised in one line no matter how many there are. */
final class Problems {
  private final Map<String, Integer> counts = new LinkedHashMap<>();
  private final Map<String, String> first = new LinkedHashMap<>();

  /** Notes a problem: {@code kind} groups, {@code message} is shown for the first of its kind. */
  void add(String kind, String message) {
    counts.merge(kind, 1, Integer::sum);
    first.putIfAbsent(kind, message);
  }

  boolean isEmpty() {
    return counts.isEmpty();
  }

  /** The first of each kind, with the number of the others. */
  String text() {
    StringBuilder text = new StringBuilder();
    counts.forEach(
        (kind, count) -> {
          text.append(text.isEmpty() ? "" : "; ").append(first.get(kind));
          if (count > 1) {
            text.append(" (and ").append(count - 1).append(" more)");
          }
        });
    return text.toString();
  }
}
