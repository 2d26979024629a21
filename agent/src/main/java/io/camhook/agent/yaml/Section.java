package io.camhook.agent.yaml;

import io.camhook.naming.Nearest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.nodes.MappingNode;
import org.yaml.snakeyaml.nodes.Node;
import org.yaml.snakeyaml.nodes.NodeTuple;
import org.yaml.snakeyaml.nodes.ScalarNode;
import org.yaml.snakeyaml.nodes.SequenceNode;
import org.yaml.snakeyaml.nodes.Tag;

/**
 * A mapping of the file, read key by key. Each getter marks its key as known; {@link #close}
 * reports the unknown ones. A value of the wrong kind is reported and then treated as absent, so
 * that one run finds every error.
 */
final class Section implements AutoCloseable {
  private final Reading reading;
  private final String path;
  private final String at;
  private final Map<String, Node> values = new LinkedHashMap<>();
  private final Map<String, Node> keys = new LinkedHashMap<>();
  private final Set<String> known = new LinkedHashSet<>();

  Section(Reading reading, String path, @Nullable Node node) {
    this.reading = reading;
    this.path = path;
    this.at = node == null ? reading.source() : reading.at(node);
    if (node instanceof MappingNode mapping) {
      for (NodeTuple tuple : mapping.getValue()) {
        add(tuple);
      }
    } else if (node != null && !isNull(node)) {
      reading.report(at, path, "expected keys and values, found " + describe(node));
    }
  }

  private void add(NodeTuple tuple) {
    if (!(tuple.getKeyNode() instanceof ScalarNode key)) {
      reading.report(reading.at(tuple.getKeyNode()), path, "expected a word as key");
      return;
    }
    Node before = keys.put(key.getValue(), key);
    if (before != null) {
      reading.report(
          reading.at(key),
          child(key.getValue()),
          "is written twice, first at " + reading.at(before));
    }
    values.put(key.getValue(), tuple.getValueNode());
  }

  /** Where the section begins. */
  String at() {
    return at;
  }

  String child(String key) {
    return path.isEmpty() ? key : path + "." + key;
  }

  /** Whether the file or an override has the key. */
  boolean has(String key) {
    known.add(key);
    return values.containsKey(key) || reading.override(child(key)) != null;
  }

  /** The same for several keys; the order is that of messages. */
  boolean[] has(String... keys) {
    boolean[] given = new boolean[keys.length];
    for (int i = 0; i < keys.length; i++) {
      given[i] = has(keys[i]);
    }
    return given;
  }

  /** The single value of a key, or null. */
  @Nullable Scalar scalar(String key, String expected) {
    known.add(key);
    reading.known(child(key));
    Scalar override = reading.override(child(key));
    if (override != null) {
      return override;
    }
    Node node = values.get(key);
    if (node == null || isNull(node)) {
      return null;
    }
    if (node instanceof ScalarNode scalar) {
      return new Scalar(scalar.getValue(), reading.at(node), child(key));
    }
    reading.report(
        reading.at(node), child(key), "expected " + expected + ", found " + describe(node));
    return null;
  }

  @Nullable String text(String key, String expected) {
    Scalar scalar = scalar(key, expected);
    if (scalar != null && scalar.text().isBlank()) {
      reading.expected(scalar, expected);
      return null;
    }
    return scalar == null ? null : scalar.text();
  }

  double number(String key, double least, double most, double absent) {
    String expected =
        most == Double.POSITIVE_INFINITY
            ? "a number of at least " + plain(least)
            : "a number from " + plain(least) + " to " + plain(most);
    Scalar scalar = scalar(key, expected);
    if (scalar == null) {
      return absent;
    }
    try {
      double value = Double.parseDouble(scalar.text());
      if (value >= least && value <= most) {
        return value;
      }
    } catch (NumberFormatException e) {
      // reported below like a number out of range
    }
    reading.expected(scalar, expected);
    return absent;
  }

  /** A whole number from 1. */
  long count(String key, long absent) {
    String expected = "a whole number of at least 1";
    Scalar scalar = scalar(key, expected);
    if (scalar == null) {
      return absent;
    }
    if (scalar.text().matches("[1-9]\\d{0,17}")) {
      return Long.parseLong(scalar.text());
    }
    reading.expected(scalar, expected);
    return absent;
  }

  long bytes(String key, long absent) {
    return bytes(key, Map.of(), absent);
  }

  /** A size, or one of the words that stand for one. */
  long bytes(String key, Map<String, Long> words, long absent) {
    String expected =
        words.isEmpty()
            ? ByteSize.EXPECTED
            : String.join(", ", words.keySet()) + " or " + ByteSize.EXPECTED;
    Scalar scalar = scalar(key, expected);
    if (scalar == null) {
      return absent;
    }
    Long word = words.get(scalar.text());
    if (word != null) {
      return word;
    }
    long bytes = ByteSize.parse(scalar.text()).orElse(0L);
    if (bytes > 0) {
      return bytes;
    }
    reading.expected(scalar, expected);
    return absent;
  }

  Duration time(String key, Duration absent) {
    Scalar scalar = scalar(key, TimeSpan.EXPECTED);
    if (scalar == null) {
      return absent;
    }
    Optional<Duration> time = TimeSpan.parse(scalar.text());
    if (time.isEmpty()) {
      reading.expected(scalar, TimeSpan.EXPECTED);
    }
    return time.orElse(absent);
  }

  boolean flag(String key, boolean absent) {
    return choice(key, Map.of("true", true, "false", false), absent);
  }

  <E> E choice(String key, Map<String, E> choices, E absent) {
    String expected = String.join(" or ", new TreeSet<>(choices.keySet()));
    Scalar scalar = scalar(key, expected);
    return scalar == null ? absent : chosen(scalar, choices, expected, absent);
  }

  <E> E chosen(Scalar scalar, Map<String, E> choices, String expected, E absent) {
    E choice = choices.get(scalar.text());
    if (choice != null) {
      return choice;
    }
    reading.report(
        scalar.at(),
        scalar.key(),
        "expected %s, found \"%s\"%s"
            .formatted(expected, scalar.text(), Nearest.hint(scalar.text(), choices.keySet())));
    return absent;
  }

  /** The values of a list; a single value is a list of one. Null when the key is absent. */
  @Nullable List<Scalar> list(String key, String expected) {
    known.add(key);
    Node node = values.get(key);
    if (node == null || isNull(node)) {
      return null;
    }
    List<Scalar> list = new ArrayList<>();
    List<Node> items = node instanceof SequenceNode s ? s.getValue() : List.of(node);
    for (int i = 0; i < items.size(); i++) {
      Node item = items.get(i);
      String itemKey = node instanceof SequenceNode ? child(key) + "[" + i + "]" : child(key);
      if (item instanceof ScalarNode scalar && !scalar.getValue().isBlank()) {
        list.add(new Scalar(scalar.getValue(), reading.at(item), itemKey));
      } else {
        reading.report(
            reading.at(item), itemKey, "expected " + expected + ", found " + describe(item));
      }
    }
    return list;
  }

  /** A nested mapping; an empty one when the key is absent. */
  Section section(String key) {
    known.add(key);
    return new Section(reading, child(key), values.get(key));
  }

  /** Whether the key holds a mapping. */
  boolean isSection(String key) {
    known.add(key);
    return values.get(key) instanceof MappingNode;
  }

  /** A list of mappings. */
  List<Section> sections(String key) {
    known.add(key);
    List<Section> sections = new ArrayList<>();
    Node node = values.get(key);
    if (node instanceof SequenceNode sequence) {
      for (Node item : sequence.getValue()) {
        sections.add(new Section(reading, child(key) + "[" + sections.size() + "]", item));
      }
    } else if (node != null && !isNull(node)) {
      reading.report(
          reading.at(node), child(key), "expected a list (- …), found " + describe(node));
    }
    return sections;
  }

  /** The keys that were not read yet, with their values as text; they become known. */
  Map<String, String> others() {
    Map<String, String> others = new LinkedHashMap<>();
    for (String key : values.keySet()) {
      if (!known.contains(key)) {
        Scalar scalar = scalar(key, "a single value");
        if (scalar != null) {
          others.put(key, scalar.text());
        }
      }
    }
    return others;
  }

  /** Reports keys that do not exist. */
  @Override
  public void close() {
    for (String key : keys.keySet()) {
      if (!known.contains(key)) {
        reading.report(
            reading.at(keys.get(key)),
            child(key),
            "no such key%s; expected %s"
                .formatted(Nearest.hint(key, known), String.join(", ", known)));
      }
    }
  }

  private static boolean isNull(Node node) {
    return node.getTag().equals(Tag.NULL);
  }

  private static String describe(Node node) {
    if (node instanceof MappingNode) {
      return "keys and values";
    }
    if (node instanceof SequenceNode) {
      return "a list";
    }
    String text = ((ScalarNode) node).getValue();
    return text.isEmpty() ? "nothing" : "\"" + text + "\"";
  }

  private static String plain(double number) {
    return number == Math.rint(number) ? Long.toString((long) number) : Double.toString(number);
  }
}
