package io.camhook.capture;

import java.util.Comparator;
import java.util.List;
import java.util.Locale;

/** The paths that someone who wrote a wrong one may have meant. */
public final class ClosestPaths {
  private ClosestPaths() {}

  /** Up to {@code limit} of {@code paths}, fewest edits first. */
  public static List<String> to(String wanted, List<String> paths, int limit) {
    String lower = wanted.toLowerCase(Locale.ROOT);
    return paths.stream()
        .distinct()
        .sorted(Comparator.comparingInt(path -> distance(lower, path.toLowerCase(Locale.ROOT))))
        .limit(limit)
        .toList();
  }

  /** Levenshtein distance. */
  private static int distance(String a, String b) {
    int[] row = new int[b.length() + 1];
    for (int j = 0; j <= b.length(); j++) {
      row[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int substituted = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(substituted, Math.min(row[j], row[j - 1]) + 1);
      }
    }
    return row[b.length()];
  }
}
