package io.camhook.cli;

import io.camhook.cam.CaptureLayers;
import io.camhook.cam.LayerTensors;
import io.camhook.recording.Capture;
import io.camhook.recording.DType;
import io.camhook.recording.LayerOutput;
import io.camhook.recording.Prediction;
import io.camhook.recording.Target;
import io.camhook.recording.Tensor;
import io.camhook.recording.TensorName;
import io.camhook.render.Picture;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Splits a capture into samples: the data of row {@code i} of the batch. */
final class CaptureView {
  private static final Target NO_TARGET = new Target(0, 0, -1, "no target", Double.NaN);

  private final Capture capture;
  private final int samples;
  private final long[] inputShape;

  CaptureView(Capture capture) {
    this.capture = capture;
    this.samples = samples(capture);
    this.inputShape = CaptureLayers.inputShape(capture);
  }

  Capture capture() {
    return capture;
  }

  /** Rows of the batch. */
  int samples() {
    return samples;
  }

  /** Shape of the model's input with the batch first; empty if unknown. */
  long[] inputShape() {
    return inputShape;
  }

  private static int samples(Capture capture) {
    for (LayerOutput layer : capture.layers()) {
      Tensor activation = capture.tensor(TensorName.activation(layer)).orElseThrow();
      if (activation.rank() > 0) {
        return Math.toIntExact(activation.size(0));
      }
    }
    return Math.max(1, capture.topK().size());
  }

  /** The targets of a sample by n; one without a class when nothing was differentiated. */
  List<Target> targets(int sample) {
    List<Target> targets =
        capture.targets().stream()
            .filter(target -> target.sample() == sample)
            .sorted(Comparator.comparingInt(Target::n))
            .toList();
    return targets.isEmpty() ? List.of(NO_TARGET) : targets;
  }

  List<Prediction> predictions(int sample) {
    return sample < capture.topK().size() ? capture.topK().get(sample) : List.of();
  }

  /** The row of the first output, if it is {@code [N,K]}. */
  @Nullable Tensor logits(int sample) {
    Tensor output = capture.tensor(TensorName.output(0)).orElse(null);
    if (output == null || output.rank() != 2 || sample >= output.size(0)) {
      return null;
    }
    int k = Math.toIntExact(output.size(1));
    float[] row = new float[k];
    System.arraycopy(output.toFloats(), sample * k, row, 0, k);
    return Tensor.ofFloats(row, k);
  }

  /** The input: the recorded picture, otherwise the input tensor scaled to 0..255. */
  @Nullable Picture picture(int sample) {
    Tensor image = capture.tensor(TensorName.IMAGE).orElse(null);
    if (image != null && image.rank() >= 3) {
      return recordedPicture(image, sample);
    }
    Tensor input = capture.tensor(TensorName.input(0)).orElse(null);
    if (input == null || input.rank() != 4 || sample >= input.size(0)) {
      return null;
    }
    return input.size(1) == 3 || input.size(1) == 1 ? stretched(input, sample) : null;
  }

  private static @Nullable Picture recordedPicture(Tensor image, int sample) {
    int first = image.rank() - 3;
    int height = Math.toIntExact(image.size(first));
    int width = Math.toIntExact(image.size(first + 1));
    int channels = Math.toIntExact(image.size(first + 2));
    int bytes = height * width * channels;
    if ((channels != 1 && channels != 3) || (sample + 1L) * bytes > image.elements()) {
      return null;
    }
    byte[] values = new byte[bytes];
    image.data().get(sample * bytes, values);
    return Picture.of(values, width, height, channels);
  }

  private static Picture stretched(Tensor input, int sample) {
    int channels = Math.toIntExact(input.size(1));
    int height = Math.toIntExact(input.size(2));
    int width = Math.toIntExact(input.size(3));
    int plane = height * width;
    float[] values = input.toFloats();
    int from = sample * channels * plane;
    float min = Float.POSITIVE_INFINITY;
    float max = Float.NEGATIVE_INFINITY;
    for (int i = from; i < from + channels * plane; i++) {
      min = Math.min(min, values[i]);
      max = Math.max(max, values[i]);
    }
    float scale = max > min ? 255 / (max - min) : 0;
    byte[] out = new byte[channels * plane];
    for (int c = 0; c < channels; c++) {
      for (int p = 0; p < plane; p++) {
        out[p * channels + c] = (byte) Math.round((values[from + c * plane + p] - min) * scale);
      }
    }
    return Picture.of(out, width, height, channels);
  }

  /** The token ids of a sample, {@code [T]}; null if no input holds any. */
  @Nullable Tensor ids(int sample) {
    for (int i = 0; ; i++) {
      Tensor input = capture.tensor(TensorName.input(i)).orElse(null);
      if (input == null) {
        return null;
      }
      boolean integers = input.dtype() == DType.I64 || input.dtype() == DType.I32;
      if (integers && input.rank() == 2 && holdsIds(input)) {
        return FedInput.row(input, sample);
      }
    }
  }

  /** Neither a mask of zeros and ones nor segments. */
  private static boolean holdsIds(Tensor input) {
    for (float v : input.toFloats()) {
      if (v > 1) {
        return true;
      }
    }
    return false;
  }

  /** The recorded tensors of a layer for target {@code n} of every sample. */
  LayerTensors tensors(LayerOutput layer, int n) {
    return CaptureLayers.of(capture, List.of(layer.toString()), n).get(0);
  }
}
