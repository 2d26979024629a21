package io.camhook.djl.session;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import io.camhook.djl.autograd.Tensors;
import io.camhook.djl.pass.Scores;
import io.camhook.engine.ModelSession.Use;
import io.camhook.recording.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How the caller of a session uses its model: names of the inputs, and the output with the scores.
 */
final class SessionUse {
  private Use use = Use.standard();
  private List<String> outputNames = List.of();

  void set(Use wanted) {
    use = wanted;
  }

  /** Names of the outputs of the last pass, in the order of {@link #outputs}. */
  List<String> outputNames() {
    return outputNames;
  }

  /** The inputs as the engine wants them. */
  NDList arrays(List<Tensor> inputs, NDManager scratch) {
    NDList arrays = SessionTensors.arrays(inputs, scratch);
    for (int i = 0; i < Math.min(arrays.size(), use.inputNames().size()); i++) {
      arrays.get(i).setName(use.inputNames().get(i));
    }
    return arrays;
  }

  /**
   * The output that targets refer to.
   *
   * @throws IllegalArgumentException if there is no such output, or it holds no numbers
   */
  NDArray scored(List<NDArray> outputs) {
    String wanted = use.output();
    if (wanted == null) {
      return SessionTensors.scored(outputs);
    }
    NDArray found = named(outputs, wanted);
    if (found == null) {
      throw new IllegalArgumentException(
          "--output %s: the model has no such output; it returns %s"
              .formatted(wanted, described(outputs)));
    }
    if (!Tensors.isFloating(found) && !Tensors.isUnknown(found)) {
      throw new IllegalArgumentException(
          "--output %s: that output holds no floating-point numbers, so it cannot be a score; the model returns %s"
              .formatted(wanted, described(outputs)));
    }
    return found;
  }

  private static @Nullable NDArray named(List<NDArray> outputs, String wanted) {
    for (NDArray output : outputs) {
      if (wanted.equals(output.getName())) {
        return output;
      }
    }
    boolean number = wanted.matches("\\d{1,6}") && Integer.parseInt(wanted) < outputs.size();
    return number ? outputs.get(Integer.parseInt(wanted)) : null;
  }

  private static String described(List<NDArray> outputs) {
    List<String> all = new ArrayList<>();
    for (int i = 0; i < outputs.size(); i++) {
      all.add(
          "%s %s"
              .formatted(name(outputs, i), Arrays.toString(outputs.get(i).getShape().getShape())));
    }
    return String.join(", ", all);
  }

  private static String name(List<NDArray> outputs, int i) {
    String name = outputs.get(i).getName();
    return name == null || name.isEmpty() ? Integer.toString(i) : name;
  }

  /** The model's outputs, the scores first. */
  List<Tensor> outputs(List<NDArray> outputs, NDManager scratch) {
    NDArray first =
        use.output() == null
            ? outputs.isEmpty() ? null : Scores.among(outputs)
            : named(outputs, use.output());
    List<Tensor> ordered = new ArrayList<>();
    List<String> names = new ArrayList<>();
    for (boolean scores : new boolean[] {true, false}) {
      for (int i = 0; i < outputs.size(); i++) {
        if ((outputs.get(i) == first) == scores) {
          ordered.add(SessionTensors.toTensor(outputs.get(i), scratch));
          names.add(name(outputs, i));
        }
      }
    }
    outputNames = List.copyOf(names);
    return ordered;
  }
}
