package io.camhook.builtin;

import java.util.List;

/** A hook that only looks; an exception from it ends the pass. Thread-safe. */
public interface LayerWatch {
  /** A forward has returned. */
  void forward(LayerCall call, List<LayerValues> inputs, List<LayerValues> outputs);

  /**
   * The gradients of a module's inputs are there. Tensors without a gradient are left out of the
   * lists.
   */
  void backward(LayerCall call, List<LayerValues> gradInputs, List<LayerValues> gradOutputs);
}
