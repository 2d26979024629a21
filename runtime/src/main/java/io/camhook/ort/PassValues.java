package io.camhook.ort;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxTensorLike;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.camhook.recording.Tensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The inputs and outputs of one of the application's runs, by name. The inputs are the
 * application's own and may be used until its call returns; the outputs are copies.
 *
 * @param outputs the outputs that a recording can hold
 * @param pictures the pictures passed to a predictor around the run; null if there is none
 */
record PassValues(
    Map<String, ? extends OnnxTensorLike> inputs,
    Map<String, Tensor> outputs,
    @Nullable Tensor pictures) {
  private static final List<String> SCORES = List.of("logits", "out", "output", "scores");

  /** Copies of a result's outputs; the result itself is not changed. */
  static Map<String, Tensor> copies(OrtSession.Result result) {
    Map<String, Tensor> copies = new LinkedHashMap<>();
    for (Map.Entry<String, OnnxValue> output : result) {
      if (output.getValue() instanceof OnnxTensor tensor
          && OrtValues.dtype(tensor.getInfo()) != null) {
        copies.put(output.getKey(), OrtValues.copy(tensor));
      }
    }
    return copies;
  }

  /**
   * The output that holds class scores: among the suitable ones, the one with a usual name,
   * otherwise the first; null if there is none.
   */
  static @Nullable String scores(Map<String, Tensor> outputs) {
    return preferred(possible(outputs));
  }

  /** The outputs that can hold class scores. */
  static List<String> possible(Map<String, Tensor> outputs) {
    return outputs.entrySet().stream()
        .filter(entry -> canBeScores(entry.getValue()))
        .map(Map.Entry::getKey)
        .toList();
  }

  /** Chooses the class scores among the suitable outputs; null if there are none. */
  static @Nullable String preferred(List<String> possible) {
    return SCORES.stream()
        .filter(possible::contains)
        .findFirst()
        .orElse(possible.isEmpty() ? null : possible.get(0));
  }

  private static boolean canBeScores(Tensor output) {
    return OrtValues.isFloating(output.dtype()) && output.rank() > 0 && output.elements() > 0;
  }

  /** Copies of inputs, to be used after the application's call has returned. */
  static Map<String, Tensor> copies(Map<String, ? extends OnnxTensorLike> inputs) {
    Map<String, Tensor> copies = new LinkedHashMap<>();
    inputs.forEach((name, value) -> copies.put(name, OrtValues.copy(value)));
    return copies;
  }

  /** Converts back to values of onnxruntime; the caller must close them. */
  static Map<String, OnnxTensor> values(OrtEnvironment environment, Map<String, Tensor> copies)
      throws OrtException {
    Map<String, OnnxTensor> values = new LinkedHashMap<>();
    for (Map.Entry<String, Tensor> copy : copies.entrySet()) {
      values.put(copy.getKey(), OrtValues.of(environment, copy.getValue()));
    }
    return values;
  }
}
