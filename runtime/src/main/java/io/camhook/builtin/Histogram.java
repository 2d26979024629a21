package io.camhook.builtin;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * How many steps had a number in which class.
 *
 * @param bounds inclusive upper bounds of the classes; one more class has what is above
 * @param counts steps of each class
 */
public record Histogram(List<Integer> bounds, List<Long> counts) {
  public Histogram {
    bounds = List.copyOf(bounds);
    counts = List.copyOf(counts);
  }

  /** Steps in the class {@code at}. */
  public long count(int at) {
    return counts.get(at);
  }

  /** The steps by their class in words, such as {@code <= 2}. */
  public Map<String, Long> inWords() {
    Map<String, Long> words = new LinkedHashMap<>();
    for (int i = 0; i < counts.size(); i++) {
      words.put(word(bounds, i), counts.get(i));
    }
    return words;
  }

  /** The class {@code at} in words; there is one more than bounds. */
  public static String word(List<Integer> bounds, int at) {
    return at < bounds.size() ? "<= " + bounds.get(at) : "> " + bounds.get(at - 1);
  }

  /** Counts; not thread-safe. */
  static final class Counter {
    private final List<Integer> bounds;
    private final long[] counts;

    Counter(List<Integer> bounds) {
      this.bounds = bounds;
      this.counts = new long[bounds.size() + 1];
    }

    void add(double number) {
      int at = 0;
      while (at < bounds.size() && number > bounds.get(at)) {
        at++;
      }
      counts[at]++;
    }

    Histogram read() {
      List<Long> read = new ArrayList<>();
      for (long count : counts) {
        read.add(count);
      }
      return new Histogram(bounds, read);
    }
  }
}
