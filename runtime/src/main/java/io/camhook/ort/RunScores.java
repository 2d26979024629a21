package io.camhook.ort;

import io.camhook.capture.ClassScores;
import io.camhook.config.Condition;
import io.camhook.recording.Prediction;
import io.camhook.recording.Tensor;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The class scores among the outputs of a run.
 *
 * @param output name of the output
 * @param values the output
 * @param layout its samples and classes
 */
record RunScores(String output, Tensor values, ScoreLayout layout) {
  /**
   * @param outputs of the run
   * @param declared all outputs of the model, in order
   * @return null if no output can hold class scores
   * @throws IllegalArgumentException if the output lacks the class axis that the entry names
   */
  static @Nullable RunScores of(OnnxPlan plan, Map<String, Tensor> outputs, List<String> declared) {
    String output = plan.scores(PassValues.possible(outputs), declared);
    Tensor values = output == null ? null : outputs.get(output);
    if (output == null || values == null) {
      return null;
    }
    Integer axis = plan.entry().scored().classAxis();
    Integer wanted = axis == null && plan.similarity() != null ? Integer.valueOf(-1) : axis;
    return new RunScores(output, values, ScoreLayout.of(values.shape(), wanted));
  }

  /** The scores, {@code [samples, classes]}, row by row. */
  float[] rows() {
    return layout.scores(values.toFloats());
  }

  ClassScores classes() {
    return new ClassScores(rows(), layout.samples(), layout.classes());
  }

  /** Whether a sample's most probable class meets a condition. */
  boolean meets(Condition when, List<String> names) {
    return Prediction.anyMeets(classes().predictions(names), when::holds);
  }
}
