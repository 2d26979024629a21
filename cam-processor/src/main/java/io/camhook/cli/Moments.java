package io.camhook.cli;

import io.camhook.report.MetricsTable;

/** Running count, mean and standard deviation of a sequence of values. */
final class Moments {
  private int n;
  private double mean;
  private double squares;

  /** Welford's recurrence, which is exact even if all values are nearly the same. */
  void add(double value) {
    n++;
    double before = value - mean;
    mean += before / n;
    squares += before * (value - mean);
  }

  int n() {
    return n;
  }

  double mean() {
    return mean;
  }

  /** The standard deviation (divided by n - 1); 0 for one value. */
  double std() {
    return n < 2 ? 0 : Math.sqrt(squares / (n - 1));
  }

  /** The number, and the standard deviation. */
  MetricsTable.Spread spread() {
    return new MetricsTable.Spread(n, std());
  }

  /** The mean at a point of a curve, with its band if there are several values. */
  MetricsTable.Point point(String at) {
    return new MetricsTable.Point(at, mean, n < 2 ? null : std());
  }
}
