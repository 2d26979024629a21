package io.camhook.agent.weave;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import com.fasterxml.jackson.databind.JsonNode;

/** What the hooks of {@code replace.json} do to a value, and how scores are compared. */
final class ReplacingRule {
  private ReplacingRule() {}

  /** As in make_replace.py: 1.5 times, with index 0 of dimension 1 (0 of a vector) set to 0. */
  static NDArray apply(NDArray array) {
    NDArray result = array.mul(1.5);
    NDIndex first = new NDIndex(result.getShape().dimension() > 1 ? ":, 0" : "0");
    result.set(first, 0);
    return result;
  }

  /** The worst difference, relative to the largest score. */
  static double error(JsonNode expected, NDArray logits) {
    NDArray scores = logits.toType(DataType.FLOAT32, false);
    if (scores.getShape().dimension() > 2) {
      scores =
          scores.reshape(scores.getShape().get(0), scores.getShape().get(1), -1).sum(new int[] {2});
    }
    float[] found = scores.toFloatArray();
    assertThat(found).hasSize(expected.size());
    double largest = 0;
    double worst = 0;
    for (int i = 0; i < found.length; i++) {
      largest = Math.max(largest, Math.abs(expected.get(i).asDouble()));
      worst = Math.max(worst, Math.abs(found[i] - expected.get(i).asDouble()));
    }
    return worst / Math.max(largest, Float.MIN_NORMAL);
  }
}
