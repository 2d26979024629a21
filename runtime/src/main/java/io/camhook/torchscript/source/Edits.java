package io.camhook.torchscript.source;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** Insertions and replacements in a piece of source text, by offsets of the whole text. */
public final class Edits {
  private record Edit(int start, int end, String text, int order) {}

  private final List<Edit> edits = new ArrayList<>();

  public void insert(int at, String text) {
    replace(at, at, text);
  }

  /** If two texts are inserted at the same place, the one added last comes first. */
  public void insertBefore(int at, String text) {
    edits.add(new Edit(at, at, text, -edits.size() - 1));
  }

  public void replace(int start, int end, String text) {
    edits.add(new Edit(start, end, text, edits.size() + 1));
  }

  /** The part of {@code text} from {@code start} to {@code end} with the edits that lie in it. */
  public String apply(String text, int start, int end) {
    StringBuilder out = new StringBuilder();
    int at = start;
    List<Edit> sorted = new ArrayList<>(edits);
    sorted.sort(Comparator.comparingInt(Edit::start).thenComparingInt(Edit::order));
    for (Edit edit : sorted) {
      if (edit.start() >= at && edit.end() <= end) {
        out.append(text, at, edit.start()).append(edit.text());
        at = edit.end();
      }
    }
    return out.append(text, at, end).toString();
  }
}
