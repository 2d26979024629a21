package io.camhook.cam.targets;

import io.camhook.cam.CamException;
import java.util.Comparator;
import java.util.List;

/** The scores of a class, summed over all boxes. */
record BoxClassSum(Boxes boxes, int index) implements BoxTarget {

  @Override
  public String name() {
    return "class " + index + " over " + boxes.count() + " boxes";
  }

  @Override
  public Detection among(List<Detection> all) {
    return all.stream()
        .filter(each -> each.best() == index)
        .max(Comparator.comparingDouble(Detection::score))
        .orElseThrow(() -> new CamException("no box is of class " + index));
  }

  @Override
  public double score(float[] output) {
    double sum = 0;
    for (int box = 0; box < boxes.count(); box++) {
      sum += boxes.score(output, box, index);
    }
    return sum;
  }

  @Override
  public float[] gradientAtLogits(float[] output) {
    float[] gradient = new float[output.length];
    for (int box = 0; box < boxes.count(); box++) {
      BoxScore.add(gradient, output, boxes, box, index);
    }
    return gradient;
  }
}
