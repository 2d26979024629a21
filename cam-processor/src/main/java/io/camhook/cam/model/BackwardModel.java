package io.camhook.cam.model;

import io.camhook.cam.CamException;
import io.camhook.cam.LayerTensors;
import io.camhook.cam.targets.ScoreTarget;
import io.camhook.recording.Tensor;
import java.util.List;

/** A model that also computes gradients. Not used concurrently. */
public interface BackwardModel extends ForwardModel {

  /**
   * Activations of layers and the gradients of the targets with respect to them.
   *
   * @param input {@code [n, …]}
   * @param targets one per sample
   * @param paths module paths
   */
  List<LayerTensors> layers(Tensor input, List<ScoreTarget> targets, List<String> paths);

  /**
   * The gradient of the targets, one per sample, with respect to the input; of the input's shape.
   */
  Tensor inputGradient(Tensor input, List<ScoreTarget> targets);

  /**
   * The same with guided ReLUs: after a ReLU the gradient is kept only where it and the ReLU's
   * input are positive.
   */
  Tensor guidedInputGradient(Tensor input, List<ScoreTarget> targets);

  /**
   * The product of {@code vector} with the Hessian of the targets with respect to the layer's
   * activation; of the activation's shape.
   */
  Tensor hessianProduct(Tensor input, List<ScoreTarget> targets, String path, Tensor vector);

  /**
   * Every convolution and batch norm over two spatial dimensions that adds a bias, in module order,
   * with the gradient of the targets with respect to its output.
   */
  List<BiasGradient> biasGradients(Tensor input, List<ScoreTarget> targets);

  /**
   * {@code [1,T,D]}: the vectors that the token ids of the explained input become, where a model of
   * words can first be differentiated.
   *
   * @throws io.camhook.cam.CamException if the model has no such place
   */
  default Tensor embedding() {
    throw new CamException("this model has no embedding");
  }

  /**
   * The gradient of the targets, one per sample, at other vectors in place of {@link #embedding}.
   *
   * @param embedding {@code [n,T,D]}
   */
  default Tensor embeddingGradient(Tensor embedding, List<ScoreTarget> targets) {
    throw new CamException("this model has no embedding");
  }

  /** The outputs for other vectors in place of {@link #embedding}, {@code [n,T,D]}. */
  default Tensor outputsOfEmbedding(Tensor embedding) {
    throw new CamException("this model has no embedding");
  }

  /**
   * One layer that adds a bias.
   *
   * @param path module path
   * @param bias {@code [C]}; of a batch norm {@code beta - running_mean * gamma / sqrt(running_var
   *     + eps)}
   * @param gradient {@code [n,C,H,W]}
   */
  record BiasGradient(String path, float[] bias, Tensor gradient) {}
}
