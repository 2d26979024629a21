package io.camhook.builtin;

import java.util.List;

/** A hook that only looks; an exception from it ends the pass. Thread-safe. */
public interface LayerWatch {
  /** A forward has returned. */
  void forward(LayerCall call, List<LayerValues> inputs, List<LayerValues> outputs);

  /**
   * Called when the gradients of a module's inputs have been computed. The lists contain only
   * tensors with a gradient.
   */
  void backward(LayerCall call, List<LayerValues> gradInputs, List<LayerValues> gradOutputs);
}
