package io.camhook.cli;

import io.camhook.recording.Capture;
import io.camhook.recording.LayerOutput;
import io.camhook.recording.Prediction;
import io.camhook.recording.RecordingWriter;
import io.camhook.recording.Run;
import io.camhook.recording.Target;
import io.camhook.recording.Tensor;
import io.camhook.recording.TensorName;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * A recording small enough to compute by hand. Layer {@code conv} has two channels of 2×2:
 *
 * <pre>
 * A0 = 1 2   A1 = 4 3     g of target 0: 1 on channel 0, -1 on channel 1
 *      3 4        2 1     g of target 1: 0 on channel 0,  2 on channel 1
 * </pre>
 *
 * so Grad-CAM of target 0 is A0 - A1 = (-3, -1; 1, 3), of target 1 it is 2 A1 = (8, 6; 4, 2). CAM
 * has the classifier's rows (1, 0) and (0, 1): A0 and A1.
 */
final class TinyRecording {
  static final LayerOutput CONV = LayerOutput.of("conv");

  private TinyRecording() {}

  static Capture.Builder capture(String id) {
    byte[] image = new byte[4 * 4 * 3];
    java.util.Arrays.fill(image, (byte) 100);
    return Capture.builder("tiny")
        .id(id)
        .tensor(TensorName.IMAGE, Tensor.ofBytes(image, 4, 4, 3))
        .tensor(TensorName.output(0), Tensor.ofFloats(new float[] {2, 1, 0}, 1, 3))
        .tensor(
            TensorName.activation(CONV),
            Tensor.ofFloats(new float[] {1, 2, 3, 4, 4, 3, 2, 1}, 1, 2, 2, 2))
        .topK(List.of(List.of(new Prediction(0, "cat", 0.665), new Prediction(1, "dog", 0.245))));
  }

  static Capture full(String id) {
    return capture(id)
        .tensor(
            TensorName.gradient(0, CONV),
            Tensor.ofFloats(new float[] {1, 1, 1, 1, -1, -1, -1, -1}, 1, 2, 2, 2))
        .tensor(
            TensorName.gradient(1, CONV),
            Tensor.ofFloats(new float[] {0, 0, 0, 0, 2, 2, 2, 2}, 1, 2, 2, 2))
        .tensor(TensorName.CLASSIFIER_WEIGHT, Tensor.ofFloats(new float[] {1, 0, 0, 1}, 2, 2))
        .targets(List.of(new Target(0, 0, 0, "cat", 2), new Target(0, 1, 1, "dog", 1)))
        .build();
  }

  static Path write(Path directory, Capture... captures) throws IOException {
    try (RecordingWriter writer =
        RecordingWriter.open(directory, Run.begin(null, Map.of()), 1 << 20)) {
      for (Capture capture : captures) {
        writer.append(capture);
      }
    }
    return directory;
  }
}
