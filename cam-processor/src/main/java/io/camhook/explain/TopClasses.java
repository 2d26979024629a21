package io.camhook.explain;

import io.camhook.cam.targets.Labels;
import io.camhook.recording.Prediction;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/** The most probable classes of one output, by softmax. */
final class TopClasses {
  private static final int SHOWN = 5;

  private TopClasses() {}

  static List<Prediction> of(float[] logits, Labels labels) {
    double max = Double.NEGATIVE_INFINITY;
    for (float logit : logits) {
      max = Math.max(max, logit);
    }
    double sum = 0;
    for (float logit : logits) {
      sum += Math.exp(logit - max);
    }
    double highest = max;
    double total = sum;
    return IntStream.range(0, logits.length)
        .boxed()
        .sorted(Comparator.comparingDouble(i -> -(double) logits[i]))
        .limit(SHOWN)
        .map(
            i ->
                new Prediction(
                    i, labels.name(i).orElse(null), Math.exp(logits[i] - highest) / total))
        .toList();
  }
}
