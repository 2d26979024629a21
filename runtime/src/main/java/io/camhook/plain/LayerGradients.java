package io.camhook.plain;

import io.camhook.recording.LayerOutput;
import io.camhook.recording.Tensor;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * Collects the gradients of recorded layers during one backward pass. The calls of a module that
 * was called several times come in reverse order.
 */
final class LayerGradients {
  private final HookedNetwork network;
  private final Set<LayerOutput> wanted;
  private final Map<String, Integer> remaining;
  private final Map<LayerOutput, Tensor> found = new HashMap<>();

  /**
   * @param wanted layers whose gradient is kept
   * @param calls how often each module was called in the forward
   */
  LayerGradients(HookedNetwork network, Set<LayerOutput> wanted, Map<String, Integer> calls) {
    this.network = network;
    this.wanted = wanted;
    this.remaining = new HashMap<>(calls);
  }

  /** A module's backward begins with ∂score/∂(its output). */
  void add(String path, Object module, Object value) {
    Integer left = remaining.get(path);
    if (left == null || left == 0) {
      return;
    }
    remaining.put(path, left - 1);
    LayerOutput layer = new LayerOutput(path, left - 1, null);
    if (wanted.contains(layer)) {
      found.put(layer, network.tensors(module).read(value, module));
    }
  }

  /** Whether every layer's gradient has been seen. */
  boolean areComplete() {
    return found.size() == wanted.size();
  }

  /** The gradients, in the order of the activations. */
  Map<LayerOutput, Tensor> found() {
    Map<LayerOutput, Tensor> ordered = new LinkedHashMap<>();
    for (LayerOutput layer : wanted) {
      Tensor gradient = found.get(layer);
      if (gradient != null) {
        ordered.put(layer, gradient);
      }
    }
    return ordered;
  }
}
