package io.camhook.cam;

import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;

/** The names nearest to one that was not found, for error messages. */
public final class Nearest {
  private static final int SHOWN = 3;

  private Nearest() {}

  /** Up to three of {@code known}, nearest first. */
  public static List<String> names(String wanted, Collection<String> known) {
    String name = wanted.toLowerCase(Locale.ROOT);
    return known.stream()
        .distinct()
        .sorted(Comparator.comparingInt(k -> distance(name, k.toLowerCase(Locale.ROOT))))
        .limit(SHOWN)
        .toList();
  }

  /** Levenshtein distance; a name that contains the other is nearer than any that does not. */
  private static int distance(String a, String b) {
    int[] previous = new int[b.length() + 1];
    for (int j = 0; j <= b.length(); j++) {
      previous[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int[] current = new int[b.length() + 1];
      current[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int substitution = previous[j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        current[j] = Math.min(substitution, Math.min(previous[j], current[j - 1]) + 1);
      }
      previous = current;
    }
    boolean contained = !a.isEmpty() && (b.contains(a) || a.contains(b));
    return previous[b.length()] + (contained ? 0 : 1000);
  }
}
