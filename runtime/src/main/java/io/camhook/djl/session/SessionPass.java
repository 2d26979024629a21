package io.camhook.djl.session;

import ai.djl.engine.EngineException;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Block;
import ai.djl.pytorch.engine.PtSymbolBlock;
import io.camhook.djl.autograd.Tensors;
import io.camhook.djl.pass.BlockPass;
import io.camhook.djl.pass.ModelPass;
import io.camhook.engine.ModelSession.OutputGradients;
import io.camhook.engine.ModelSession.Pass;
import io.camhook.recording.LayerOutput;
import io.camhook.recording.Tensor;
import io.camhook.torchscript.twin.TapPlan;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Runs a {@link ModelPass} for the caller of a session and copies its results to the heap. */
final class SessionPass extends SessionWatch {
  private final ModelPass pass;
  private final Map<Block, String> layers;

  /**
   * @param layers paths of the blocks to record
   */
  SessionPass(ModelPass pass, Map<Block, String> layers) {
    this.pass = pass;
    this.layers = layers;
  }

  /** A pass that records nothing. */
  static SessionPass plain(NDManager scratch) {
    return new SessionPass(new BlockPass(scratch, false, true), Map.of());
  }

  @Override
  boolean concerns(Block block) {
    return layers.containsKey(block);
  }

  @Override
  NDList returned(Block block, NDList outputs) {
    String path = layers.get(block);
    return path == null ? outputs : pass.returned(path, outputs);
  }

  @Override
  public @Nullable NDList run(PtSymbolBlock block, NDList inputs, boolean training) {
    return pass.run(block, inputs, training);
  }

  /**
   * Differentiates the targets, and copies everything.
   *
   * @param outputs what the model returned
   * @param notices receives notices for the user
   */
  Pass onHeap(
      NDList outputs,
      @Nullable OutputGradients targets,
      SessionUse use,
      NDManager scratch,
      Collection<String> notices) {
    List<Map<LayerOutput, Tensor>> gradients = new ArrayList<>();
    if (targets != null) {
      if (!pass.blocked().isEmpty()) {
        notices.add(TapPlan.describeBlocked(pass.blocked()));
      }
      NDArray output = use.scored(outputs);
      for (Tensor seed : targets.at(SessionTensors.toTensor(output, scratch))) {
        gradients.add(gradients(output, seed, scratch, notices));
      }
    }
    Map<LayerOutput, Tensor> activations = new LinkedHashMap<>();
    pass.recorded()
        .forEach((layer, value) -> activations.put(layer, SessionTensors.toTensor(value, scratch)));
    return new Pass(use.outputs(outputs, scratch), activations, gradients);
  }

  /** The gradients; if an operator has no derivative, those of the layers after it. */
  private Map<LayerOutput, Tensor> gradients(
      NDArray output, Tensor seed, NDManager scratch, Collection<String> notices) {
    List<LayerOutput> layers = pass.differentiable();
    if (layers.isEmpty() || !Tensors.requiresGrad(output)) {
      return Map.of();
    }
    NDArray start = Tensors.inTypeOf(output, Tensors.toArray(seed, scratch), scratch);
    Map<LayerOutput, NDArray> found;
    try {
      found = pass.gradients(output, start, layers, true);
    } catch (EngineException e) {
      found = eachAlone(output, start, layers);
      if (found.isEmpty()) {
        throw e;
      }
      notices.add(missing(layers, found.keySet(), e));
    }
    Map<LayerOutput, Tensor> gradients = new LinkedHashMap<>();
    found.forEach((layer, value) -> gradients.put(layer, SessionTensors.toTensor(value, scratch)));
    return gradients;
  }

  private Map<LayerOutput, NDArray> eachAlone(
      NDArray output, NDArray seed, List<LayerOutput> layers) {
    Map<LayerOutput, NDArray> found = new LinkedHashMap<>();
    for (LayerOutput layer : layers) {
      try {
        found.putAll(pass.gradients(output, seed, List.of(layer), true));
      } catch (EngineException before) {
        // the operator without a derivative comes after this layer
      }
    }
    return found;
  }

  private static String missing(
      List<LayerOutput> layers, Collection<LayerOutput> found, EngineException e) {
    String why =
        String.valueOf(e.getMessage()).contains("modified by an inplace operation")
            ? "what an operator after them needs for its derivative, its own result, is changed in"
                + " place by a later one (such as leaky_relu_ and then add_)"
            : "an operator after them has no derivative";
    List<LayerOutput> without = layers.stream().filter(layer -> !found.contains(layer)).toList();
    return "%d of %d layers have no gradient: %s; the last of them is '%s'"
        .formatted(without.size(), layers.size(), why, without.get(without.size() - 1));
  }
}
