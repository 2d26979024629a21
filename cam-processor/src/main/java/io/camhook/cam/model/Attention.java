package io.camhook.cam.model;

import io.camhook.recording.Tensor;
import java.util.List;

/**
 * The attention weights of one pass.
 *
 * @param tokens T
 * @param weights of each layer, the first one first: {@code [heads·T·T]} values, whatever their
 *     leading dimensions; each row adds up to 1
 * @param reads which tokens' rows of the last layer the score depends on
 */
public record Attention(int tokens, List<Tensor> weights, boolean[] reads) {
  public Attention {
    weights = List.copyOf(weights);
  }
}
