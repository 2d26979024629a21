package io.camhook.builtin;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** {@code stats}: a line in {@code stats.jsonl} for every output and every output's gradient. */
final class StatsWatch implements LayerWatch {
  private final @Nullable StatsFile file;
  private final LayerHealth health;
  private final @Nullable Baseline baseline;
  private final double warn;

  /**
   * @param file where lines go; null if there is no directory
   * @param baseline what the layers are compared with
   * @param warn standard deviations from it that raise an alarm
   */
  StatsWatch(
      @Nullable StatsFile file, LayerHealth health, @Nullable Baseline baseline, double warn) {
    this.file = file;
    this.health = health;
    this.baseline = baseline;
    this.warn = warn;
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
      float[] numbers = tensor.toFloats();
      Summary summary = Summary.of(numbers);
      ChannelCounts channels = ChannelCounts.of(numbers, tensor.shape());
      if (file != null) {
        file.append(call, value, i, tensor.shape(), summary, channels);
      }
      String layer =
          call.path() + (call.call() == 0 ? "" : "#" + call.call()) + (i == 0 ? "" : ":" + i);
      health.observe(
          new Baseline.Key(call.model(), layer, value), summary, channels, baseline, warn);
    }
  }
}
