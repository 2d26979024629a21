package io.camhook.explain;

import io.camhook.cam.CamException;
import io.camhook.cam.targets.Boxes;
import io.camhook.cam.targets.Detection;
import io.camhook.recording.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The boxes in a detector's result for one picture: either one output with boxes and their classes,
 * in the format that the user named; or an output with boxes {@code [n,4]} and others with their
 * scores {@code [n]} or class logits {@code [n,classes]}, and possibly labels.
 */
final class DetectorOutputs {
  private DetectorOutputs() {}

  /** Whether the outputs hold boxes in a form that needs no description. */
  static boolean areClear(List<Tensor> outputs) {
    return boxes(outputs) != null && scores(outputs, boxes(outputs)) != null;
  }

  /**
   * Reads.
   *
   * @param format of a single output; null if not given
   */
  static List<Detection> read(List<Tensor> outputs, Boxes.@Nullable Format format) {
    if (format != null) {
      Tensor output = ExplainedModel.first(outputs);
      return Boxes.of(format, output.shape()).all(output.toFloats());
    }
    Tensor boxes = boxes(outputs);
    Tensor scores = boxes == null ? null : scores(outputs, boxes);
    if (boxes == null || scores == null) {
      throw new CamException(
          "the outputs %s show no boxes with scores; say what the columns of a single output are with --boxes v5 (x, y, width, height, objectness, classes) or --boxes v8 (x, y, width, height, classes)"
              .formatted(outputs.stream().map(each -> Arrays.toString(each.shape())).toList()));
    }
    return joined(boxes, scores, labels(outputs, boxes));
  }

  private static @Nullable Tensor boxes(List<Tensor> outputs) {
    List<Tensor> found =
        outputs.stream()
            .filter(each -> InputForm.isFloating(each) && isRows(each))
            .filter(each -> each.size(each.rank() - 1) == 4)
            .toList();
    return found.size() == 1 ? found.get(0) : null;
  }

  private static boolean isRows(Tensor each) {
    return each.rank() == 2 || each.rank() == 3 && each.size(0) == 1;
  }

  private static @Nullable Tensor scores(List<Tensor> outputs, @Nullable Tensor boxes) {
    long n = boxes == null ? 0 : boxes.elements() / 4;
    for (Tensor each : outputs) {
      if (InputForm.isFloating(each) && each != boxes && n > 0) {
        boolean one = each.elements() == n;
        boolean logits = isRows(each) && each.size(each.rank() - 2) == n;
        if (one || logits) {
          return each;
        }
      }
    }
    return null;
  }

  private static @Nullable Tensor labels(List<Tensor> outputs, Tensor boxes) {
    return outputs.stream()
        .filter(each -> !InputForm.isFloating(each) && each.elements() == boxes.elements() / 4)
        .findFirst()
        .orElse(null);
  }

  private static List<Detection> joined(Tensor boxes, Tensor scores, @Nullable Tensor labels) {
    float[] corners = boxes.toFloats();
    float[] numbers = scores.toFloats();
    int n = corners.length / 4;
    int columns = numbers.length / n;
    float[] names = labels == null ? new float[n] : labels.toFloats();
    int classes = 1;
    for (float name : names) {
      classes = Math.max(classes, (int) name + 1);
    }
    List<Detection> found = new ArrayList<>();
    for (int i = 0; i < n; i++) {
      float[] box = Arrays.copyOfRange(corners, 4 * i, 4 * i + 4);
      if (columns == 1) {
        float[] known = new float[classes];
        known[(int) names[i]] = 1;
        found.add(new Detection(i, box, numbers[i], numbers[i], known, (int) names[i]));
      } else {
        found.add(ofLogits(i, box, Arrays.copyOfRange(numbers, i * columns, (i + 1) * columns)));
      }
    }
    return found;
  }

  /** DETR: centre and size; softmax over the classes, of which the last one means nothing. */
  private static Detection ofLogits(int number, float[] box, float[] logits) {
    double sum = 0;
    float most = logits[0];
    for (float logit : logits) {
      most = Math.max(most, logit);
    }
    for (float logit : logits) {
      sum += Math.exp(logit - most);
    }
    float[] classes = new float[logits.length - 1];
    int best = 0;
    for (int c = 0; c < classes.length; c++) {
      classes[c] = (float) (Math.exp(logits[c] - most) / sum);
      best = classes[c] > classes[best] ? c : best;
    }
    float[] corners = {
      box[0] - box[2] / 2, box[1] - box[3] / 2, box[0] + box[2] / 2, box[1] + box[3] / 2
    };
    return new Detection(number, corners, classes[best], classes[best], classes, best);
  }
}
