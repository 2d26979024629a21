package io.camhook.engine;

import io.camhook.recording.LayerOutput;
import io.camhook.recording.Tensor;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A model that one caller runs and differentiates on request, independently of the sampling
 * configuration. Tensors have a batch dimension and live on the heap. Not thread-safe.
 */
public interface ModelSession extends AutoCloseable {

  /**
   * Computes ∂score/∂output from the model's first floating-point output; called once per target.
   */
  @FunctionalInterface
  interface OutputGradients {
    List<Tensor> at(Tensor output);
  }

  /**
   * The results of one pass.
   *
   * @param outputs the model's outputs, flattened; empty if the pass stopped before them
   * @param activations what the layers returned, in order of the calls
   * @param gradients gradients of each target with respect to the activations; no entry where no
   *     gradient flows
   */
  record Pass(
      List<Tensor> outputs,
      Map<LayerOutput, Tensor> activations,
      List<Map<LayerOutput, Tensor>> gradients) {}

  /**
   * How a caller passes inputs to the model and finds its scores.
   *
   * @param output the output that holds the scores, by its position among the model's outputs or by
   *     its key in a dict; null for the first suitable one
   * @param inputNames names of the inputs for engines that use names: {@code x.input_ids} is an
   *     entry of a dict; empty to pass inputs by position
   */
  record Use(@Nullable String output, List<String> inputNames) {
    public Use {
      inputNames = List.copyOf(inputNames);
    }

    /** Inputs by position, and the first output that can hold scores. */
    public static Use standard() {
      return new Use(null, List.of());
    }
  }

  /**
   * Sets the names of the inputs and the output with the scores, from now on.
   *
   * @throws IllegalArgumentException if the engine cannot do it, with the reason
   */
  default void use(Use wanted) {
    if (!wanted.equals(Use.standard())) {
      throw new IllegalArgumentException(
          "this engine takes inputs by position, and scores from the first output");
    }
  }

  /**
   * Names of the outputs of the last pass, in the order of {@link Pass#outputs}: keys of a dict, or
   * positions.
   */
  default List<String> outputNames() {
    return List.of();
  }

  /**
   * Runs the model and records the session's layers.
   *
   * @param targets the targets to differentiate; null for none, autograd then stays off
   * @param onlyLayers whether the pass may stop after the last layer has returned
   */
  Pass run(List<Tensor> inputs, @Nullable OutputGradients targets, boolean onlyLayers);

  /** The model's outputs, as an application would receive them. */
  List<Tensor> outputs(List<Tensor> inputs);

  /**
   * The model's outputs with a layer's result replaced.
   *
   * @throws IllegalArgumentException if the layer cannot be replaced, with the reason
   */
  List<Tensor> outputsFrom(String path, Tensor activation, List<Tensor> inputs);

  /**
   * The name of the weight {@code [classes, C]} that the model multiplies with the channel means of
   * a layer's result, if after that it only adds a bias (with {@code bias} instead of {@code
   * weight} at the end of its name). Empty if the model's code does anything else with the result,
   * or if the code is not known.
   */
  default Optional<String> weightOfMeans(String path) {
    return Optional.empty();
  }

  /** The gradient of one target with respect to input {@code index}. */
  Tensor inputGradient(List<Tensor> inputs, int index, OutputGradients target);

  /**
   * The gradient of one target with respect to a layer's result, at a given value of that result,
   * which no input needs to produce.
   *
   * @throws IllegalArgumentException if the layer cannot be replaced, with the reason
   */
  default Tensor gradientFrom(
      String path, Tensor activation, List<Tensor> inputs, OutputGradients target) {
    throw new IllegalArgumentException("this engine cannot differentiate from a layer on");
  }

  /**
   * The same as {@link #inputGradient} with guided ReLUs, which pass {@code g·(x > 0)·(g > 0)} back
   * (Springenberg et al., 2015).
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

  /** What was requested but cannot be recorded, and why. */
  List<String> notices();

  @Override
  void close();
}
