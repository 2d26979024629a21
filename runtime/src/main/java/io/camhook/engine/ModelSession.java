package io.camhook.engine;

import io.camhook.recording.LayerOutput;
import io.camhook.recording.Tensor;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A model under the control of one caller, who runs and differentiates it at will, whatever the
 * configuration samples. Tensors have their batch dimension and live on the heap. Not thread-safe.
 */
public interface ModelSession extends AutoCloseable {

  /** From the model's first floating-point output to ∂score/∂output, once for each target. */
  @FunctionalInterface
  interface OutputGradients {
    List<Tensor> at(Tensor output);
  }

  /**
   * What one pass gave.
   *
   * @param outputs the model's outputs, flattened; empty where the pass stopped before
   * @param activations what the layers returned, in order of the calls
   * @param gradients of each target with respect to the activations; no entry where none flows
   */
  record Pass(
      List<Tensor> outputs,
      Map<LayerOutput, Tensor> activations,
      List<Map<LayerOutput, Tensor>> gradients) {}

  /**
   * Runs the model and records the session's layers.
   *
   * @param targets what is differentiated; null: nothing, autograd stays off
   * @param onlyLayers whether the pass may stop when the last layer has returned
   */
  Pass run(List<Tensor> inputs, @Nullable OutputGradients targets, boolean onlyLayers);

  /** The model's outputs, as an application gets them. */
  List<Tensor> outputs(List<Tensor> inputs);

  /**
   * The model's outputs with what a layer returns replaced.
   *
   * @throws IllegalArgumentException if the layer cannot be replaced, with the reason
   */
  List<Tensor> outputsFrom(String path, Tensor activation, List<Tensor> inputs);

  /**
   * The name of the weight {@code [classes, C]} by which the model multiplies the means of the
   * channels of what a layer returns, and then only adds a bias, whose name ends with {@code bias}
   * in the place of {@code weight}; empty where the model's code does more with it, or nothing is
   * known of it.
   */
  default Optional<String> weightOfMeans(String path) {
    return Optional.empty();
  }

  /** The gradient of one target with respect to input {@code index}. */
  Tensor inputGradient(List<Tensor> inputs, int index, OutputGradients target);

  /**
   * The same with guided ReLUs, which pass {@code g·(x > 0)·(g > 0)} back (Springenberg et al.,
   * 2015).
   *
   * @throws IllegalArgumentException if the model's ReLUs cannot be guided, with the reason
   */
  Tensor guidedInputGradient(List<Tensor> inputs, int index, OutputGradients target);

  /**
   * The product of {@code vector} with the Hessian of one target with respect to a layer's first
   * output.
   */
  Tensor hessianProduct(List<Tensor> inputs, OutputGradients target, String path, Tensor vector);

  /** A parameter or buffer by its dotted name. */
  Optional<Tensor> parameter(String name) throws IOException;

  /** What was asked for and cannot be recorded, and why. */
  List<String> notices();

  @Override
  void close();
}
