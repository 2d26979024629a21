package io.camhook.cam;

import io.camhook.naming.Nearest;
import io.camhook.recording.Capture;
import io.camhook.recording.LayerOutput;
import io.camhook.recording.Target;
import io.camhook.recording.Tensor;
import io.camhook.recording.TensorName;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Extracts the inputs of CAM methods from a recorded capture. */
public final class CaptureLayers {

  private CaptureLayers() {}

  /**
   * The layers of a capture, with the gradients and classifier rows of target {@code n} of each
   * sample.
   *
   * @param names layer outputs as the recording writes them ({@code layer4}, {@code relu#1});
   *     empty: all that were recorded
   * @param n number of the target among those of a sample, from 0
   * @throws CamException if the capture lacks a layer, naming the nearest ones
   */
  public static List<LayerTensors> of(Capture capture, Collection<String> names, int n) {
    List<String> recorded = capture.layers().stream().map(LayerOutput::toString).toList();
    List<LayerTensors> layers = new ArrayList<>();
    for (String name : names.isEmpty() ? recorded : names) {
      if (!recorded.contains(name)) {
        throw new CamException(
            "capture %s holds no activation of layer '%s'; %s"
                .formatted(
                    capture.id(),
                    name,
                    recorded.isEmpty()
                        ? "it holds none at all; record some: capture: [activation]"
                        : "did you mean " + Nearest.containing(name, recorded, 3) + "?"));
      }
      LayerOutput layer = LayerOutput.parse(name);
      Tensor activation = capture.tensor(TensorName.activation(layer)).orElseThrow();
      Tensor gradient = capture.tensor(TensorName.gradient(n, layer)).orElse(null);
      layers.add(
          LayerTensors.of(name, activation, gradient)
              .withClassifierRows(classifierRows(capture, activation, n)));
    }
    return layers;
  }

  /**
   * Shape of the model's input, batch first: that of {@code input.0}, otherwise that of the image;
   * empty if neither was recorded.
   */
  public static long[] inputShape(Capture capture) {
    Optional<Tensor> input = capture.tensor(TensorName.input(0));
    if (input.isPresent() && input.get().rank() >= 2) {
      return input.get().shape();
    }
    return capture
        .tensor(TensorName.IMAGE)
        .map(Tensor::shape)
        .map(
            s ->
                s.length == 4
                    ? new long[] {s[0], s[3], s[1], s[2]}
                    : new long[] {1, s[2], s[0], s[1]})
        .orElse(new long[0]);
  }

  /** Target number {@code n} of a sample, if it has one. */
  public static Optional<Target> target(Capture capture, int sample, int n) {
    return capture.targets().stream().filter(t -> t.sample() == sample && t.n() == n).findFirst();
  }

  /**
   * {@code [N,C]} in the order of the batch, or null if the rows do not belong to this layer. A
   * sample without target n keeps zeros.
   */
  private static @Nullable Tensor classifierRows(Capture capture, Tensor activation, int n) {
    Tensor weight = capture.tensor(TensorName.CLASSIFIER_WEIGHT).orElse(null);
    if (weight == null || weight.rank() != 2 || activation.rank() < 3) {
      return null;
    }
    int channels = (int) weight.size(1);
    if (Arrays.stream(activation.shape()).skip(1).noneMatch(size -> size == channels)) {
      return null;
    }
    float[] values = weight.toFloats();
    int samples = (int) activation.size(0);
    float[] rows = new float[samples * channels];
    for (int t = 0; t < Math.min(capture.targets().size(), (int) weight.size(0)); t++) {
      Target target = capture.targets().get(t);
      if (target.n() == n && target.sample() < samples) {
        System.arraycopy(values, t * channels, rows, target.sample() * channels, channels);
      }
    }
    return Tensor.ofFloats(rows, samples, channels);
  }
}
