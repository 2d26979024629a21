package io.camhook.explain;

import io.camhook.cam.CamException;
import io.camhook.cam.targets.ScoreTarget;
import io.camhook.cam.targets.Targets;
import io.camhook.recording.Tensor;
import java.util.Arrays;

/**
 * Cosine similarity of the mean of token vectors {@code [1,T,D]} with a reference, as sentence
 * encoders are used: only tokens in the attention mask count.
 *
 * @param weights one per token; they add up to 1
 * @param similarity of a mean with the reference
 */
record PooledSimilarity(float[] weights, ScoreTarget similarity) implements ScoreTarget {

  /**
   * The target for an output; an output without tokens, {@code [1,D]}, is compared directly.
   *
   * @param reference the other output, {@code [1,D]} or {@code [1,T,D]}
   * @param referenceMask of the other text
   * @param mask mask of this text; without a mask all tokens count
   */
  static ScoreTarget of(Tensor output, float[] mask, Tensor reference, float[] referenceMask) {
    if (output.rank() != 3) {
      return Targets.similarity(pooled(reference, referenceMask));
    }
    return new PooledSimilarity(
        weights(output, mask), Targets.similarity(pooled(reference, referenceMask)));
  }

  private static float[] pooled(Tensor output, float[] mask) {
    return output.rank() != 3 ? output.toFloats() : mean(output.toFloats(), weights(output, mask));
  }

  private static float[] weights(Tensor output, float[] mask) {
    int tokens = Math.toIntExact(output.size(1));
    float[] weights = new float[tokens];
    if (mask.length == 0) {
      Arrays.fill(weights, 1f / tokens);
      return weights;
    }
    float sum = 0;
    for (float one : mask) {
      sum += one;
    }
    if (mask.length != tokens || sum == 0) {
      throw new CamException(
          "similarity of a text: the output has shape %s, and the text %d tokens; expected a vector a token, or one for the whole (--output)"
              .formatted(Arrays.toString(output.shape()), mask.length));
    }
    for (int t = 0; t < tokens; t++) {
      weights[t] = mask[t] / sum;
    }
    return weights;
  }

  private static float[] mean(float[] output, float[] weights) {
    float[] mean = new float[output.length / weights.length];
    for (int i = 0; i < output.length; i++) {
      mean[i % mean.length] += weights[i / mean.length] * output[i];
    }
    return mean;
  }

  @Override
  public String name() {
    return similarity.name();
  }

  @Override
  public double score(float[] output) {
    return similarity.score(mean(output, weights));
  }

  @Override
  public float[] gradientAtLogits(float[] output) {
    float[] ofMean = similarity.gradientAtLogits(mean(output, weights));
    float[] gradient = new float[output.length];
    for (int i = 0; i < gradient.length; i++) {
      gradient[i] = weights[i / ofMean.length] * ofMean[i % ofMean.length];
    }
    return gradient;
  }
}
