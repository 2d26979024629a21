package io.camhook.cli;

import io.camhook.cam.targets.Labels;
import io.camhook.cam.targets.TargetChoice;
import io.camhook.explain.ExplainException;
import io.camhook.explain.ModelInput;
import io.camhook.explain.TargetSelection;
import io.camhook.explain.Vocabulary;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * A word of the vocabulary that a model scores: {@code great}, or {@code great@5} at token 5. If
 * the output has scores at every token, {@code [1,T,V]}, and no number is given, the scores at the
 * masked tokens count, or the sum over all tokens if none is masked.
 *
 * @param choice its class
 * @param position from 0, or from the end starting at -1; null if none was given
 * @param mask the token that the model is to predict
 */
record WordTarget(TargetChoice choice, @Nullable Integer position, OptionalLong mask) {

  static WordTarget parse(String text, Vocabulary vocabulary) {
    int at = text.lastIndexOf('@');
    boolean placed = at > 0 && text.substring(at + 1).matches("-?\\d{1,6}");
    String word = placed ? text.substring(0, at) : text;
    return new WordTarget(
        TargetChoice.parse("class:" + vocabulary.id(word), Labels.none()),
        placed ? Integer.valueOf(text.substring(at + 1)) : null,
        vocabulary.mask());
  }

  TargetSelection of(ModelInput input) {
    long[] ids = input.tokenIds();
    boolean[] inside = new boolean[ids.length];
    boolean any = false;
    if (position != null) {
      int index = position < 0 ? position + ids.length : position;
      if (index < 0 || index >= ids.length) {
        throw new ExplainException(
            "word@%d: the text has the tokens 0 to %d".formatted(position, ids.length - 1));
      }
      inside[index] = true;
      any = true;
    } else if (mask.isPresent()) {
      for (int i = 0; i < ids.length; i++) {
        inside[i] = ids[i] == mask.getAsLong();
        any |= inside[i];
      }
    }
    return any ? TargetSelection.withinIfPositions(choice, inside) : TargetSelection.of(choice);
  }
}
