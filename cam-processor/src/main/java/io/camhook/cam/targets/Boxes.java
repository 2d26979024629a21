package io.camhook.cam.targets;

import io.camhook.cam.CamException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The layout of boxes and classes in a detector's output, {@code [1,boxes,columns]} or {@code
 * [1,columns,boxes]}: there are more boxes than columns.
 *
 * @param format the meaning of the columns
 * @param count number of boxes
 * @param columns number of columns of each box
 * @param columnsFirst whether the columns come before the boxes
 */
public record Boxes(Format format, int count, int columns, boolean columnsFirst) {
  /** Boxes of the same object overlap by more than this. */
  private static final double SAME_OBJECT = 0.5;

  /** The columns of a box. */
  public enum Format {
    /** Centre x and y, width, height, objectness, classes: YOLOv3, v5, v7, YOLOX. */
    V5(5),
    /** Centre x and y, width, height, classes: YOLOv8 and later. */
    V8(4);

    private final int first;

    Format(int first) {
      this.first = first;
    }
  }

  /**
   * Finds boxes and columns.
   *
   * @param shape of the output, batch first
   * @throws CamException if it cannot be an output of boxes
   */
  public static Boxes of(Format format, long[] shape) {
    if (shape.length != 3 || shape[1] == shape[2]) {
      throw new CamException(
          "--boxes needs an output [1,boxes,columns] or [1,columns,boxes] with more boxes than columns, found %s; choose another with --output"
              .formatted(Arrays.toString(shape)));
    }
    boolean columnsFirst = shape[1] < shape[2];
    int columns = (int) Math.min(shape[1], shape[2]);
    if (columns <= format.first) {
      throw new CamException(
          "--boxes %s wants %d columns and one for each class, found %d"
              .formatted(format.name().toLowerCase(java.util.Locale.ROOT), format.first, columns));
    }
    return new Boxes(format, (int) Math.max(shape[1], shape[2]), columns, columnsFirst);
  }

  /** Number of classes. */
  public int classes() {
    return columns - format.first;
  }

  int index(int box, int column) {
    return columnsFirst ? column * count + box : box * columns + column;
  }

  int classColumn(int index) {
    return format.first + index;
  }

  /** Objectness times class probability; the class probability alone if there is no objectness. */
  double score(float[] output, int box, int index) {
    double score = output[index(box, classColumn(index))];
    return format == Format.V5 ? score * output[index(box, 4)] : score;
  }

  /** The detection in one box of the output. */
  public Detection detection(float[] output, int box) {
    float x = output[index(box, 0)];
    float y = output[index(box, 1)];
    float halfWidth = output[index(box, 2)] / 2;
    float halfHeight = output[index(box, 3)] / 2;
    float[] probabilities = new float[classes()];
    int best = 0;
    for (int i = 0; i < probabilities.length; i++) {
      probabilities[i] = output[index(box, classColumn(i))];
      best = probabilities[i] > probabilities[best] ? i : best;
    }
    return new Detection(
        box,
        new float[] {x - halfWidth, y - halfHeight, x + halfWidth, y + halfHeight},
        format == Format.V5 ? output[index(box, 4)] : probabilities[best],
        score(output, box, best),
        probabilities,
        best);
  }

  /** The detections in all boxes. */
  public List<Detection> all(float[] output) {
    return IntStream.range(0, count).mapToObj(box -> detection(output, box)).toList();
  }

  /** The most confident boxes, best first, one for each object. */
  public static List<Detection> best(List<Detection> all, int wanted) {
    List<Detection> kept = new ArrayList<>();
    List<Detection> order =
        all.stream().sorted(Comparator.comparingDouble(each -> -each.score())).toList();
    for (Detection each : order) {
      if (kept.size() == wanted) {
        break;
      }
      boolean another =
          kept.stream()
              .noneMatch(
                  before -> before.best() == each.best() && before.overlap(each) > SAME_OBJECT);
      if (another) {
        kept.add(each);
      }
    }
    return kept;
  }

  /** The score of one box for its most probable class. */
  public ScoreTarget box(float[] output, int box) {
    if (box < 0 || box >= count) {
      throw new CamException(
          "box %d: the output has boxes 0 to %d; the surest of them are %s"
              .formatted(
                  box,
                  count - 1,
                  best(all(output), 3).stream().map(each -> "box:" + each.box()).toList()));
    }
    return new BoxScore(this, box, detection(output, box).best());
  }

  /** The scores of a class, summed over the boxes. */
  public ScoreTarget ofClass(int index) {
    if (index < 0 || index >= classes()) {
      throw new CamException(
          "class %d: the boxes have classes 0 to %d".formatted(index, classes() - 1));
    }
    return new BoxClassSum(this, index);
  }
}
