package io.camhook.agent.yaml;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.error.Mark;
import org.yaml.snakeyaml.nodes.Node;

/** One reading of one file, with its overrides and the mistakes found in it. */
final class Reading {
  private final String source;
  private final Overrides overrides;
  private final List<Problem> problems = new ArrayList<>();
  private final Set<String> known = new TreeSet<>();

  Reading(String source, Overrides overrides) {
    this.source = source;
    this.overrides = overrides;
  }

  String source() {
    return source;
  }

  String at(Node node) {
    return at(node.getStartMark());
  }

  String at(Mark mark) {
    return source + ":" + (mark.getLine() + 1) + ":" + (mark.getColumn() + 1);
  }

  @Nullable Scalar override(String key) {
    Overrides.Given override = overrides.find(key);
    return override == null ? null : new Scalar(override.text(), override.source(), key);
  }

  void report(String at, String key, String message) {
    problems.add(new Problem(at, key, message));
  }

  void expected(Scalar scalar, String expected) {
    report(scalar.at(), scalar.key(), "expected " + expected + ", found \"" + scalar.text() + "\"");
  }

  void known(String key) {
    known.add(key);
  }

  /** Every key that holds a single value, dotted: those that can be overridden. */
  Set<String> known() {
    return known;
  }

  List<Problem> problems() {
    return problems;
  }
}
