package io.camhook.plain;

import io.camhook.recording.LayerOutput;
import io.camhook.recording.Target;
import io.camhook.recording.Tensor;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/*
 * Where global average pooling and a linear layer follow a layer's output A of [C,H,W], the score is
 * s = b + Σ_c w_c · (Σ_hw A_chw) / (H·W), so ∂s/∂A_chw = w_c / (H·W) at every position. Read backwards: if
 * a gradient is the same at all positions of each channel, the network acts like that, and w_c is H·W times
 * the gradient.
 */
/** Derives the classifier's weight rows that CAM (Zhou et al., 2016) needs from gradients. */
final class ClassifierRows {
  private static final double SAME = 1e-4;

  private final List<Target> targets;
  private final Map<Target, float[]> rows = new HashMap<>();
  private @Nullable LayerOutput layer;

  ClassifierRows(List<Target> targets) {
    this.targets = targets;
  }

  /** Takes the gradient of target {@code n} of each sample at a layer; the last layer counts. */
  void add(int n, LayerOutput layer, Tensor gradient) {
    if (gradient.rank() != 4) {
      return;
    }
    if (!layer.equals(this.layer)) {
      if (n == 0) {
        rows.clear();
        this.layer = layer;
      } else {
        return;
      }
    }
    float[] values = gradient.toFloats();
    int channels = (int) gradient.size(1);
    int positions = Math.toIntExact(gradient.size(2) * gradient.size(3));
    for (Target target : targets) {
      if (target.n() == n) {
        float[] row = row(values, target.sample() * channels, channels, positions);
        if (row != null) {
          rows.put(target, row);
        }
      }
    }
  }

  private static float @Nullable [] row(
      float[] values, int firstPlane, int channels, int positions) {
    float[] row = new float[channels];
    for (int c = 0; c < channels; c++) {
      int from = (firstPlane + c) * positions;
      float first = values[from];
      for (int at = 1; at < positions; at++) {
        if (Math.abs(values[from + at] - first) > SAME * Math.abs(first)) {
          return null;
        }
      }
      row[c] = first * positions;
    }
    return row;
  }

  /** {@code [targets, C]}; empty if any target's gradient is not that of such a network. */
  Optional<Tensor> tensor() {
    if (targets.isEmpty() || rows.size() != targets.size()) {
      return Optional.empty();
    }
    int channels = rows.values().iterator().next().length;
    float[] all = new float[targets.size() * channels];
    for (int i = 0; i < targets.size(); i++) {
      System.arraycopy(rows.get(targets.get(i)), 0, all, i * channels, channels);
    }
    return Optional.of(Tensor.ofFloats(all, targets.size(), channels));
  }
}
