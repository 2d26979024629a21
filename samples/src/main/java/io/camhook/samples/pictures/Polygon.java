package io.camhook.samples.pictures;

/** A closed polygon. Plain arithmetic, so that every JDK draws the same pixels. */
record Polygon(double[] x, double[] y) {

  /**
   * A polygon with {@code points} corners on the unit circle, the first at the top.
   *
   * @param inner radius of a notch between two corners; 1 for none
   */
  static Polygon regular(int points, double inner) {
    int perPoint = inner == 1 ? 1 : 2;
    double[] x = new double[points * perPoint];
    double[] y = new double[points * perPoint];
    for (int i = 0; i < x.length; i++) {
      double angle = 2 * Math.PI * i / x.length;
      double radius = i % perPoint == 0 ? 1 : inner;
      x[i] = radius * StrictMath.sin(angle);
      y[i] = -radius * StrictMath.cos(angle);
    }
    return new Polygon(x, y);
  }

  /** Whether the point lies inside, by the even-odd rule. */
  boolean contains(double px, double py) {
    boolean inside = false;
    for (int i = 0, j = x.length - 1; i < x.length; j = i++) {
      if (y[i] > py != y[j] > py && px < (x[j] - x[i]) * (py - y[i]) / (y[j] - y[i]) + x[i]) {
        inside = !inside;
      }
    }
    return inside;
  }
}
