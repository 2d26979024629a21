package io.camhook.builtin;

import io.camhook.dispatch.EventLog;
import java.util.Arrays;
import java.util.List;

/** {@code print}: a line for every output and every output's gradient. */
final class PrintWatch implements LayerWatch {
  private final EventLog log;

  PrintWatch(EventLog log) {
    this.log = log;
  }

  @Override
  public void forward(LayerCall call, List<LayerValues> inputs, List<LayerValues> outputs) {
    print(call, "forward", outputs);
  }

  @Override
  public void backward(
      LayerCall call, List<LayerValues> gradInputs, List<LayerValues> gradOutputs) {
    print(call, "backward", gradOutputs);
  }

  private void print(LayerCall call, String direction, List<LayerValues> tensors) {
    for (LayerValues tensor : tensors) {
      log.info(
          "%s: %s %s %s"
              .formatted(
                  call, direction, Arrays.toString(tensor.shape()), Summary.of(tensor.toFloats())));
    }
  }
}
