package io.camhook.plain;

import io.camhook.capture.HeapCapture;
import io.camhook.recording.Capture;
import io.camhook.recording.TensorName;

/**
 * A capture after its forward pass. It takes its gradients from the backward pass that the
 * application runs next on the same thread.
 */
final class LossCapture {
  private final HookedNetwork network;
  private final Object root;
  private final Capture.Builder capture;
  private final Batch batch;
  private final LayerGradients gradients;

  LossCapture(
      HookedNetwork network,
      Object root,
      Capture.Builder capture,
      Batch batch,
      LayerGradients gradients) {
    this.network = network;
    this.root = root;
    this.capture = capture;
    this.batch = batch;
    this.gradients = gradients;
  }

  HookedNetwork network() {
    return network;
  }

  boolean isOf(HookedNetwork network) {
    return this.network == network;
  }

  /** A module's backward begins. */
  void gradient(String path, Object module, Object value) {
    gradients.add(path, module, value);
  }

  /** Whether nothing is left to wait for when the backward of {@code module} has ended. */
  boolean endsWith(Object module) {
    return module == root || gradients.areComplete();
  }

  /** The capture, with the gradients that came. */
  HeapCapture finished() {
    capture.extra("gradient", "of the application's own backward");
    gradients
        .found()
        .forEach(
            (layer, tensor) -> capture.tensor(TensorName.gradient(0, layer), batch.with(tensor)));
    return new HeapCapture(capture.build());
  }
}
