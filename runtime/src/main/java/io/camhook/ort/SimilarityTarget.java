package io.camhook.ort;

import io.camhook.recording.RecordingException;
import io.camhook.recording.Safetensors;
import io.camhook.recording.Target;
import io.camhook.recording.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The cosine similarity of an output and an earlier one: {@code cos(s, r) = s·r / (|s||r|)}, where
 * s is the output along its last axis, summed over the positions between the sample axis and that
 * axis. The cosine of the sum equals that of the mean, which is how token embeddings are usually
 * combined into a text embedding.
 *
 * @param name of the file, for recordings
 * @param reference r
 */
record SimilarityTarget(String name, float[] reference) {
  private static final List<String> TENSORS = List.of("logits", "output.0");

  /**
   * The cosine of each sample and its gradient with respect to that sample's s.
   *
   * @param gradients {@code [samples, D]}
   */
  record At(List<Target> targets, float[] gradients) {}

  /**
   * Reads the first sample of the output in a file.
   *
   * @throws IOException if it holds none, with what was expected
   */
  static SimilarityTarget read(Path file) throws IOException {
    Safetensors blob = Safetensors.read(file);
    for (String name : TENSORS) {
      Tensor tensor = blob.tensors().get(name);
      if (tensor != null && tensor.rank() > 0) {
        ScoreLayout layout = ScoreLayout.of(tensor.shape(), -1);
        float[] rows = layout.scores(tensor.toFloats());
        float[] first = new float[layout.classes()];
        System.arraycopy(rows, 0, first, 0, first.length);
        return new SimilarityTarget(String.valueOf(file.getFileName()), first);
      }
    }
    throw new RecordingException(
        "%s: expected a tensor 'logits', as camhook explain writes the model's output, or 'output.0' of a capture, found %s"
            .formatted(file, blob.tensors().keySet().stream().limit(5).toList()));
  }

  /**
   * @param rows s of each sample
   * @throws IllegalArgumentException if they are not as long as the reference
   */
  At of(float[] rows, int samples) {
    int width = rows.length / Math.max(1, samples);
    if (width != reference.length) {
      throw new IllegalArgumentException(
          "similarity: the output has %d numbers along its last axis, that of %s has %d"
              .formatted(width, name, reference.length));
    }
    double norm = norm(reference, 0, width);
    List<Target> targets = new ArrayList<>();
    float[] gradients = new float[rows.length];
    for (int n = 0; n < samples; n++) {
      int from = n * width;
      double length = norm(rows, from, width);
      double cosine = 0;
      for (int i = 0; i < width; i++) {
        cosine += (double) rows[from + i] * reference[i] / (length * norm);
      }
      for (int i = 0; i < width; i++) {
        gradients[from + i] =
            (float) (reference[i] / (length * norm) - cosine * rows[from + i] / (length * length));
      }
      targets.add(new Target(n, 0, 0, "similarity to " + name, cosine));
    }
    return new At(targets, gradients);
  }

  private static double norm(float[] values, int from, int count) {
    double squares = Double.MIN_NORMAL;
    for (int i = from; i < from + count; i++) {
      squares += (double) values[i] * values[i];
    }
    return Math.sqrt(squares);
  }
}
