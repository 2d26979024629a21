package io.camhook.cam.model;

import io.camhook.recording.Tensor;

/**
 * A model that can be run again. Where it takes several inputs, the one meant here is the one that
 * is explained; the implementation keeps the others, repeated to the batch. Not used concurrently.
 */
public interface ForwardModel {

  /**
   * Runs the model.
   *
   * @param input {@code [n, …]}
   * @return float32 {@code [n, …]}: logits, or whatever the model returns
   */
  Tensor outputs(Tensor input);

  /**
   * Runs the model with what a layer returns replaced. An implementation runs only what comes
   * behind the layer where it can.
   *
   * @param path module path of the layer
   * @param activation {@code [n, …]} in the layer's own layout
   * @param input {@code [1, …]}: the input that the activation comes from
   * @return as {@link #outputs}
   */
  Tensor outputsFrom(String path, Tensor activation, Tensor input);
}
