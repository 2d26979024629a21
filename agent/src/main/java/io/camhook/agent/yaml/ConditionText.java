package io.camhook.agent.yaml;

import io.camhook.config.Condition;
import io.camhook.config.Condition.Confidence;
import io.camhook.config.Condition.OneOf;
import io.camhook.config.Condition.Term;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The text of {@code sampling.when}: {@code confidence < 0.6}, {@code label in [cat, "tiger cat",
 * 282]}, {@code label not in […]}, joined by {@code and} and {@code or}; {@code and} binds more
 * tightly.
 */
final class ConditionText {
  static final String EXPECTED =
      "comparisons such as confidence < 0.6 or label in [cat, 282], joined by and, or";

  private static final Pattern CONFIDENCE =
      Pattern.compile("\\s*confidence\\s*(<=|>=|<|>)\\s*(\\d+(?:\\.\\d+)?|\\.\\d+)");
  private static final Pattern LABEL =
      Pattern.compile("\\s*label\\s+(not\\s+)?in\\s*\\[((?:[^\\]\"']|\"[^\"]*\"|'[^']*')*)\\]");
  private static final Pattern ITEM =
      Pattern.compile("\\s*(?:\"([^\"]*)\"|'([^']*)'|([^,\"']+?))\\s*(?:,|$)");
  private static final Pattern JOINT = Pattern.compile("\\s+(and|or)\\s+");

  private final String text;
  private int position;

  private ConditionText(String text) {
    this.text = text;
  }

  /**
   * Reads a condition.
   *
   * @throws IllegalArgumentException if the text is not a condition
   */
  static Condition parse(String text) {
    return new ConditionText(text).parse();
  }

  private Condition parse() {
    List<List<Term>> anyOf = new ArrayList<>();
    List<Term> all = new ArrayList<>();
    all.add(term());
    while (!text.substring(position).isBlank()) {
      if (joint().equals("or")) {
        anyOf.add(all);
        all = new ArrayList<>();
      }
      all.add(term());
    }
    anyOf.add(all);
    return new Condition(anyOf);
  }

  private Term term() {
    Matcher confidence = at(CONFIDENCE);
    if (confidence.lookingAt()) {
      position = confidence.end();
      String sign = confidence.group(1);
      return new Confidence(
          sign.startsWith("<"), sign.endsWith("="), Double.parseDouble(confidence.group(2)));
    }
    Matcher label = at(LABEL);
    if (label.lookingAt()) {
      position = label.end();
      return new OneOf(label.group(1) == null, items(label.group(2)));
    }
    throw new IllegalArgumentException(EXPECTED);
  }

  private static Set<String> items(String list) {
    Set<String> items = new LinkedHashSet<>();
    Matcher item = ITEM.matcher(list);
    int end = 0;
    while (end < list.length()) {
      if (!item.find() || item.start() != end) {
        throw new IllegalArgumentException(EXPECTED);
      }
      end = item.end();
      for (int group = 1; group <= 3; group++) {
        if (item.group(group) != null) {
          items.add(item.group(group));
        }
      }
    }
    if (items.isEmpty()) {
      throw new IllegalArgumentException(EXPECTED);
    }
    return items;
  }

  private String joint() {
    Matcher joint = at(JOINT);
    if (!joint.lookingAt()) {
      throw new IllegalArgumentException(EXPECTED);
    }
    position = joint.end();
    return joint.group(1);
  }

  private Matcher at(Pattern pattern) {
    return pattern.matcher(text).region(position, text.length());
  }
}
