package io.camhook.naming;

import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** Suggests valid names for a misspelled one, by edit distance. */
public final class Nearest {
  private Nearest() {}

  /** Up to {@code limit} of {@code known}, fewest edits first. */
  public static List<String> to(String wanted, Collection<String> known, int limit) {
    return sorted(known, limit, Comparator.comparingInt(name -> distance(wanted, name)));
  }

  /** As {@link #to}, but a name that contains the other is nearer than any that does not. */
  public static List<String> containing(String wanted, Collection<String> known, int limit) {
    String lower = wanted.toLowerCase(Locale.ROOT);
    return sorted(
        known,
        limit,
        Comparator.comparing((String name) -> !contains(lower, name.toLowerCase(Locale.ROOT)))
            .thenComparingInt(name -> distance(wanted, name)));
  }

  private static boolean contains(String a, String b) {
    return !a.isEmpty() && (b.contains(a) || a.contains(b));
  }

  private static List<String> sorted(
      Collection<String> known, int limit, Comparator<String> nearest) {
    return known.stream().distinct().sorted(nearest).limit(limit).toList();
  }

  /** The one name with the fewest edits, if they are at most half of the word's length. */
  public static Optional<String> likely(String word, Collection<String> known) {
    return known.stream()
        .min(
            Comparator.comparingInt((String name) -> distance(word, name))
                .thenComparing(Comparator.naturalOrder()))
        .filter(name -> distance(word, name) <= Math.max(1, word.length() / 2));
  }

  /** {@code ; nearest is "rate"}, or nothing. */
  public static String hint(String word, Collection<String> known) {
    return likely(word, known).map(name -> "; nearest is \"" + name + "\"").orElse("");
  }

  /** Levenshtein distance, ignoring case. */
  private static int distance(String first, String second) {
    String a = first.toLowerCase(Locale.ROOT);
    String b = second.toLowerCase(Locale.ROOT);
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
