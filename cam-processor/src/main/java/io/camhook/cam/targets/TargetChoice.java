package io.camhook.cam.targets;

import io.camhook.cam.CamException;
import java.util.List;
import java.util.function.Function;

/**
 * The value of {@code target:} or {@code -t}, and the targets that it stands for in one output:
 * {@code top1}, {@code top5}, {@code class:282}, {@code label:tiger cat}, {@code softmax:282},
 * {@code rest:282}, {@code finer:282}, {@code difference:282,285}, {@code raw}, {@code binary:+},
 * {@code binary:-}, {@code output:0}. Wherever a class is expected, a label is accepted as well.
 * Immutable.
 */
public final class TargetChoice {
  private static final String EXPECTED =
      "top1, topN, class:INDEX, label:NAME, softmax:CLASS, rest:CLASS, finer:CLASS,"
          + " difference:CLASS,CLASS, raw, binary:+, binary:- or output:INDEX";

  private final String text;
  private final Function<float[], List<ScoreTarget>> targets;

  private TargetChoice(String text, Function<float[], List<ScoreTarget>> targets) {
    this.text = text;
    this.targets = targets;
  }

  /**
   * Reads a target.
   *
   * @throws CamException if it is not a target, or a label does not exist
   */
  public static TargetChoice parse(String text, Labels labels) {
    if (text.matches("top[1-9]\\d{0,5}")) {
      int n = Integer.parseInt(text.substring("top".length()));
      return new TargetChoice(text, logits -> Targets.top(logits, n));
    }
    int colon = text.indexOf(':');
    String kind = colon < 0 ? text : text.substring(0, colon);
    String rest = colon < 0 ? "" : text.substring(colon + 1);
    return switch (kind) {
      case "class" -> one(text, Targets.logit(number(text, rest)));
      case "label" -> one(text, Targets.logit(labels.index(rest)));
      case "softmax" -> one(text, Targets.softmax(classOf(rest, labels)));
      case "rest" -> one(text, Targets.rest(classOf(rest, labels)));
      case "finer" -> finer(text, classOf(rest, labels));
      case "output" -> one(text, Targets.regression(number(text, rest)));
      case "difference" -> {
        String[] two = rest.split(",");
        if (two.length != 2) {
          throw unknown(text);
        }
        yield one(text, Targets.difference(classOf(two[0], labels), classOf(two[1], labels)));
      }
      case "raw" -> one(text, Targets.raw());
      case "binary" -> {
        if (!rest.equals("+") && !rest.equals("-")) {
          throw unknown(text);
        }
        yield one(text, Targets.binary(rest.equals("+")));
      }
      default -> throw unknown(text);
    };
  }

  /**
   * The targets for one sample's output.
   *
   * @throws CamException if the output has no such class
   */
  public List<ScoreTarget> targets(float[] logits) {
    List<ScoreTarget> chosen = targets.apply(logits);
    chosen.forEach(target -> target.score(logits));
    return chosen;
  }

  private static TargetChoice one(String text, ScoreTarget target) {
    return new TargetChoice(text, logits -> List.of(target));
  }

  /** Which classes are compared with depends on the output. */
  private static TargetChoice finer(String text, int index) {
    return new TargetChoice(text, logits -> List.of(Targets.finer(index, logits)));
  }

  private static int classOf(String text, Labels labels) {
    return text.strip().matches("\\d{1,9}") ? Integer.parseInt(text.strip()) : labels.index(text);
  }

  private static int number(String text, String digits) {
    if (!digits.matches("\\d{1,9}")) {
      throw unknown(text);
    }
    return Integer.parseInt(digits);
  }

  private static CamException unknown(String text) {
    return new CamException("target '%s': expected %s".formatted(text, EXPECTED));
  }

  /** The user's text. */
  @Override
  public String toString() {
    return text;
  }
}
