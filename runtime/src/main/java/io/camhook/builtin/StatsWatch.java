package io.camhook.builtin;

import java.util.List;

/** {@code stats}: a line in {@code stats.jsonl} for every output and every output's gradient. */
final class StatsWatch implements LayerWatch {
  private final StatsFile file;

  StatsWatch(StatsFile file) {
    this.file = file;
  }

  @Override
  public void forward(LayerCall call, List<LayerValues> inputs, List<LayerValues> outputs) {
    append(call, "activation", outputs);
  }

  @Override
  public void backward(
      LayerCall call, List<LayerValues> gradInputs, List<LayerValues> gradOutputs) {
    append(call, "gradient", gradOutputs);
  }

  private void append(LayerCall call, String value, List<LayerValues> tensors) {
    for (int i = 0; i < tensors.size(); i++) {
      LayerValues tensor = tensors.get(i);
      file.append(call, value, i, tensor.shape(), Summary.of(tensor.toFloats()));
    }
  }
}
