package io.camhook.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.camhook.cam.CamException;
import io.camhook.cam.targets.Detection;
import io.camhook.cam.targets.Labels;
import io.camhook.explain.Explained;
import io.camhook.recording.Tensor;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * A detector's confident boxes, with their labels.
 *
 * @param boxes most confident first
 * @param labels of the classes
 * @param scale from the units of the output to pixels of the input
 */
record BoxList(List<Detection> boxes, Labels labels, double[] scale) {
  private static final int MOST = 10;
  private static final double SURE = 0.25;

  static BoxList of(Explained explained, Labels labels) {
    List<Detection> boxes;
    try {
      boxes = explained.detections(MOST).stream().filter(each -> each.score() >= SURE).toList();
    } catch (CamException e) {
      boxes = List.of(); // the target gives the reason if it needs boxes
    }
    Tensor input = explained.explainedInput();
    boolean shares =
        boxes.stream().allMatch(each -> each.corners()[2] <= 1.5 && each.corners()[3] <= 1.5);
    double[] scale =
        shares && input.rank() == 4
            ? new double[] {input.size(3), input.size(2)}
            : new double[] {1, 1};
    return new BoxList(boxes, labels, scale);
  }

  private String label(Detection box) {
    return labels.name(box.best()).orElse("class " + box.best());
  }

  /** The boxes in the form of a recording's metadata {@code boxes}; empty if there are none. */
  String metadata() {
    if (boxes.isEmpty()) {
      return "";
    }
    try {
      return new ObjectMapper()
          .writeValueAsString(
              boxes.stream()
                  .map(
                      each ->
                          Map.of("label", label(each), "score", each.score(), "box", pixels(each)))
                  .toList());
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e); // strings and numbers
    }
  }

  private double[] pixels(Detection each) {
    double[] pixels = new double[4];
    for (int i = 0; i < 4; i++) {
      pixels[i] = each.corners()[i] * scale[i % 2];
    }
    return pixels;
  }

  /** The boxes with their numbers for {@code -t box:N}; empty if there are none. */
  String text() {
    return boxes.stream()
        .map(
            each ->
                String.format(Locale.ROOT, "box:%d %s %.2f", each.box(), label(each), each.score()))
        .collect(Collectors.joining(", "));
  }
}
