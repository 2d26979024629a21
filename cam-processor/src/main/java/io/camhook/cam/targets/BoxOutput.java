package io.camhook.cam.targets;

import io.camhook.cam.CamException;
import java.util.List;

/** One of the scores that a detector returns besides its boxes. */
record BoxOutput(int box) implements BoxTarget {

  @Override
  public String name() {
    return "box " + box;
  }

  @Override
  public int index() {
    return -1;
  }

  @Override
  public Detection among(List<Detection> all) {
    if (box >= all.size()) {
      throw new CamException("box %d: the detector found %d".formatted(box, all.size()));
    }
    return all.get(box);
  }

  @Override
  public double score(float[] output) {
    Outputs.requireIndex(box, output);
    return output[box];
  }

  @Override
  public float[] gradientAtLogits(float[] output) {
    Outputs.requireIndex(box, output);
    float[] gradient = new float[output.length];
    gradient[box] = 1;
    return gradient;
  }
}
