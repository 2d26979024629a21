package io.camhook.cam.model;

import io.camhook.cam.CamException;
import io.camhook.cam.targets.Detection;
import io.camhook.cam.targets.ScoreTarget;
import io.camhook.recording.Tensor;
import java.util.List;
import java.util.Optional;

/**
 * A model that can be run again. If it has several inputs, "the input" here is the explained one;
 * the implementation keeps the others fixed and repeats them to the batch size. Not used
 * concurrently.
 */
public interface ForwardModel {

  /**
   * Whether the input holds integers, such as token ids: {@code [n,1,T]} here, and nothing that can
   * be multiplied with a mask or differentiated.
   */
  default boolean takesIntegers() {
    return false;
  }

  /**
   * Runs the model.
   *
   * @param input {@code [n, …]}
   * @return float32 {@code [n, …]}: logits, or whatever the model returns
   */
  Tensor outputs(Tensor input);

  /**
   * Runs the model with what a layer returns replaced. If possible, an implementation runs only
   * what comes after the layer.
   *
   * @param path module path of the layer
   * @param activation {@code [n, …]} in the layer's own layout
   * @param input {@code [1, …]}: the input that the activation comes from
   * @return as {@link #outputs}
   */
  Tensor outputsFrom(String path, Tensor activation, Tensor input);

  /**
   * The function from a layer's result to the outputs, if it is an affine function of the channel
   * means and the implementation knows it.
   *
   * @param path module path of the layer
   */
  default Optional<AffineHead> headOfMeans(String path) {
    return Optional.empty();
  }

  /**
   * The attention weights of a transformer for the explained input.
   *
   * @param target the score whose reading of the last layer matters
   * @throws CamException if they are not values in the model's code
   */
  default Attention attention(ScoreTarget target) {
    throw new CamException(
        "attention-rollout needs the attention weights, which this model does not show");
  }

  /**
   * A detector's results for each picture of a batch.
   *
   * @param input {@code [n, …]}
   * @throws CamException if the outputs show no boxes
   */
  default List<List<Detection>> detections(Tensor input) {
    throw new CamException("this model finds no boxes");
  }

  /**
   * Global average pooling and a linear layer: {@code outputs = bias + weight · means}.
   *
   * @param weight {@code [classes, channels]}
   * @param bias {@code [classes]}
   */
  record AffineHead(Tensor weight, Tensor bias) {}
}
