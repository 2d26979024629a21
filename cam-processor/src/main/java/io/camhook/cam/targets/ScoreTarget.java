package io.camhook.cam.targets;

import io.camhook.cam.CamException;

/**
 * The scalar that is explained: a function of one sample's output (its logits, or whatever the
 * model returns, row-major and without the batch dimension), and its gradient there. With {@link
 * #gradientAtLogits} as the output gradient, one vector-Jacobian product of the model gives the
 * gradient of the score at any point inside it, so every sample of a batch may have its own target.
 * Immutable and thread-safe.
 */
public interface ScoreTarget {

  /** A readable name of the target: {@code class 282}. */
  String name();

  /**
   * The score of one sample.
   *
   * @throws CamException if the output has no such class
   */
  double score(float[] logits);

  /**
   * The derivative of {@link #score} with respect to every output, of the length of {@code logits}.
   *
   * @throws CamException if the output has no such class
   */
  float[] gradientAtLogits(float[] logits);
}
