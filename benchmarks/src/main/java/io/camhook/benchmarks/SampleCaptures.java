package io.camhook.benchmarks;

import io.camhook.recording.Capture;
import io.camhook.recording.LayerOutput;
import io.camhook.recording.Prediction;
import io.camhook.recording.Target;
import io.camhook.recording.Tensor;
import io.camhook.recording.TensorName;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Random;

/** Captures with the shapes of real networks and seeded random values. */
public final class SampleCaptures {
  private SampleCaptures() {}

  /** A picture, A and g of the last convolutional layer and the logits. */
  public static Capture of(int picture, int channels, int size) {
    Random random = new Random(1);
    byte[] image = new byte[picture * picture * 3];
    random.nextBytes(image);
    LayerOutput layer = LayerOutput.of("layer4");
    return Capture.builder("resnet")
        .targets(List.of(new Target(0, 0, 282, "tiger cat", 12.5)))
        .topK(
            List.of(
                List.of(new Prediction(282, "tiger cat", 0.8), new Prediction(281, "tabby", 0.1))))
        .tensor(TensorName.IMAGE, inNativeMemory(Tensor.ofBytes(image, picture, picture, 3)))
        .tensor(TensorName.activation(layer), inNativeMemory(normal(random, true, channels, size)))
        .tensor(
            TensorName.gradient(0, layer), inNativeMemory(normal(random, false, channels, size)))
        .tensor(TensorName.output(0), inNativeMemory(normal(random, false, 1000, 1)))
        .build();
  }

  /** In the form in which an engine passes its tensors. */
  private static Tensor inNativeMemory(Tensor tensor) {
    ByteBuffer bytes = ByteBuffer.allocateDirect((int) tensor.byteSize()).put(tensor.data());
    return new Tensor(tensor.dtype(), tensor.shape(), bytes.flip());
  }

  /** [1, channels, size, size]; after a ReLU if {@code rectified}. */
  static Tensor normal(Random random, boolean rectified, int channels, int size) {
    float[] values = new float[channels * size * size];
    for (int i = 0; i < values.length; i++) {
      float value = (float) random.nextGaussian();
      values[i] = rectified ? Math.max(0, value) : value;
    }
    return Tensor.ofFloats(values, 1, channels, size, size);
  }

  /** The same capture under a new id and time. */
  public static Capture again(Capture capture) {
    Capture.Builder builder =
        Capture.builder(capture.model()).targets(capture.targets()).topK(capture.topK());
    capture.tensors().forEach(builder::tensor);
    return builder.build();
  }
}
