package io.camhook.cam.targets;

/**
 * A detector's result for one box.
 *
 * @param box its number in the output
 * @param corners left, top, right, bottom, in the units of the output
 * @param objectness the confidence that there is an object; if the output has no such number, the
 *     largest class probability
 * @param score objectness times the probability of the most probable class
 * @param classes probability of each class; a single 1 if the output has no classes
 * @param best the most probable class
 */
public record Detection(
    int box, float[] corners, double objectness, double score, float[] classes, int best) {

  /** Intersection over union with another box. */
  public double overlap(Detection other) {
    double width = Math.min(corners[2], other.corners[2]) - Math.max(corners[0], other.corners[0]);
    double height = Math.min(corners[3], other.corners[3]) - Math.max(corners[1], other.corners[1]);
    double shared = Math.max(0, width) * Math.max(0, height);
    double all = area() + other.area() - shared;
    return all <= 0 ? 0 : shared / all;
  }

  private double area() {
    return Math.max(0, (double) corners[2] - corners[0])
        * Math.max(0, (double) corners[3] - corners[1]);
  }

  /** Cosine of the angle between the probabilities of the classes. */
  public double likeness(Detection other) {
    double dot = 0;
    double own = 0;
    double others = 0;
    for (int i = 0; i < Math.min(classes.length, other.classes.length); i++) {
      dot += (double) classes[i] * other.classes[i];
      own += (double) classes[i] * classes[i];
      others += (double) other.classes[i] * other.classes[i];
    }
    return own == 0 || others == 0 ? 0 : dot / Math.sqrt(own * others);
  }
}
