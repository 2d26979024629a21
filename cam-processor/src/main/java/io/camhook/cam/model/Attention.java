package io.camhook.cam.model;

import io.camhook.recording.Tensor;
import java.util.List;

/**
 * The attention weights of one pass.
 *
 * @param tokens T
 * @param weights weights of each layer, in order: {@code [heads·T·T]} values for any leading
 *     dimensions; each row adds up to 1
 * @param reads the tokens whose rows in the last layer the score depends on
 */
public record Attention(int tokens, List<Tensor> weights, boolean[] reads) {
  public Attention {
    weights = List.copyOf(weights);
  }
}
