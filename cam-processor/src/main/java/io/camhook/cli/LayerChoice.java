package io.camhook.cli;

import io.camhook.naming.Nearest;
import io.camhook.recording.Capture;
import io.camhook.recording.LayerOutput;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.regex.Pattern;

/**
 * The recorded layers to use: paths or globs ({@code *} within a segment, {@code **} across
 * segments, {@code *} alone: all).
 */
final class LayerChoice {
  private final List<String> wanted;

  LayerChoice(List<String> wanted) {
    this.wanted = List.copyOf(wanted);
  }

  /** Whether layers were named; if not, all recorded layers are used. */
  boolean isExplicit() {
    return !wanted.isEmpty();
  }

  /**
   * The chosen layers of a capture.
   *
   * @throws CommandFailure if a name matches none
   */
  List<LayerOutput> of(Capture capture) {
    return of(capture, capture.layers());
  }

  /** The chosen ones among {@code recorded}. */
  List<LayerOutput> of(Capture capture, List<LayerOutput> recorded) {
    if (wanted.isEmpty()) {
      return recorded;
    }
    List<LayerOutput> chosen = new ArrayList<>();
    for (String name : wanted) {
      Pattern pattern = pattern(name);
      List<LayerOutput> found =
          recorded.stream().filter(layer -> pattern.matcher(layer.toString()).matches()).toList();
      if (found.isEmpty()) {
        Collection<String> paths = recorded.stream().map(LayerOutput::toString).toList();
        throw new CommandFailure(
            "layer '%s' is not in capture %s; nearest of the %d recorded: %s"
                .formatted(name, capture.id(), paths.size(), Nearest.containing(name, paths, 3)));
      }
      found.stream().filter(layer -> !chosen.contains(layer)).forEach(chosen::add);
    }
    return chosen;
  }

  private static Pattern pattern(String glob) {
    if (glob.equals("*")) {
      return Pattern.compile(".*");
    }
    StringBuilder regex = new StringBuilder();
    for (int i = 0; i < glob.length(); i++) {
      char c = glob.charAt(i);
      if (c != '*') {
        regex.append(Pattern.quote(String.valueOf(c)));
      } else if (i + 1 < glob.length() && glob.charAt(i + 1) == '*') {
        regex.append(".*");
        i++;
      } else {
        regex.append("[^.]*");
      }
    }
    return Pattern.compile(regex.toString());
  }
}
