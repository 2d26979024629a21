package io.camhook.torchscript.flow;

import java.util.BitSet;
import java.util.Collection;

/**
 * The module calls that a value depends on, as numbers of call sites, and what happens between them
 * and the value. Immutable.
 *
 * @param from all of them
 * @param attended those whose result went into an attention (softmax times values) on the way
 * @param unweighted those after which no operator with weights came
 * @param direct those of them whose positions no operator has summed up, either
 * @param softmax whether the value is the softmax of something, a factor of an attention
 */
record Flow(BitSet from, BitSet attended, BitSet unweighted, BitSet direct, boolean softmax) {
  private static final BitSet NONE = new BitSet();

  /** The flow of parameters, numbers and inputs. */
  static final Flow EMPTY = new Flow(NONE, NONE, NONE, NONE, false);

  /** The flow of a value that depends on several others. */
  static Flow of(Collection<Flow> parts) {
    Flow all = EMPTY;
    for (Flow part : parts) {
      all = all.with(part);
    }
    return all;
  }

  Flow with(Flow other) {
    if (this == EMPTY || this == other) {
      return other;
    }
    return other == EMPTY
        ? this
        : new Flow(
            joined(from, other.from),
            joined(attended, other.attended),
            joined(unweighted, other.unweighted),
            joined(direct, other.direct),
            softmax || other.softmax);
  }

  private static BitSet joined(BitSet a, BitSet b) {
    BitSet all = (BitSet) a.clone();
    all.or(b);
    return all;
  }

  /** The flow of a module call's result. */
  Flow returnedBy(int site) {
    BitSet one = new BitSet();
    one.set(site);
    return new Flow(
        joined(from, one), attended, joined(unweighted, one), joined(direct, one), softmax);
  }

  /** The flow of an operator's result for this value. */
  Flow through(String operator, boolean hasWeights) {
    if (this == EMPTY) {
      return this;
    }
    boolean attention = Operators.attends(operator) || softmax && Operators.isProduct(operator);
    boolean weighs = hasWeights && Operators.weighs(operator);
    boolean reduces = Operators.reduces(operator);
    return new Flow(
        from,
        attention ? from : attended,
        weighs ? NONE : unweighted,
        weighs || reduces ? NONE : direct,
        Operators.isSoftmax(operator) || softmax && !Operators.isProduct(operator) && !weighs);
  }
}
