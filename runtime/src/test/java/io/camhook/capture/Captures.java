package io.camhook.capture;

import io.camhook.recording.Capture;
import io.camhook.recording.LayerOutput;
import io.camhook.recording.Tensor;
import io.camhook.recording.TensorName;
import java.util.Arrays;

/** Captures for tests, on the heap. */
final class Captures {
  private Captures() {}

  /** One tensor of {@code bytes} bytes, all of one value. */
  static Capture of(int bytes, int value) {
    float[] values = new float[bytes / 4];
    Arrays.fill(values, value);
    return Capture.builder("net")
        .tensor(
            TensorName.activation(LayerOutput.of("layer4")),
            Tensor.ofFloats(values, 1, values.length))
        .build();
  }
}
