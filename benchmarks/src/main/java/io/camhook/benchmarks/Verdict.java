package io.camhook.benchmarks;

import java.util.Arrays;
import java.util.Locale;

/** Prints measured values beside their budgets and remembers whether one was missed. */
final class Verdict {
  private boolean missed;

  void atLeast(double budget, double found, String what) {
    print(found >= budget, found, ">=", budget, what);
  }

  void atMost(double budget, double found, String what) {
    print(found <= budget, found, "<=", budget, what);
  }

  private void print(boolean met, double found, String sign, double budget, String what) {
    missed |= !met;
    System.out.printf(
        Locale.ROOT,
        "%-7s %10.3f  (budget %s %.3f)  %s%n",
        met ? "met" : "MISSED",
        found,
        sign,
        budget,
        what);
  }

  /** A number without a budget. */
  static void note(double found, String what) {
    System.out.printf(Locale.ROOT, "        %10.3f  %s%n", found, what);
  }

  /** Ends the process: status 1 if a budget was missed. */
  void exit() {
    System.exit(missed ? 1 : 0);
  }

  static double median(double... values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    int half = sorted.length / 2;
    return sorted.length % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
  }
}
