package io.camhook.cam;

/** Reports how many values are NaN or infinite and where the first one is. */
final class NonFinite {

  private NonFinite() {}

  static String describe(String what, float[] values) {
    int nan = 0;
    int infinite = 0;
    int first = -1;
    for (int i = 0; i < values.length; i++) {
      if (!Float.isFinite(values[i])) {
        nan += Float.isNaN(values[i]) ? 1 : 0;
        infinite += Float.isNaN(values[i]) ? 0 : 1;
        first = first < 0 ? i : first;
      }
    }
    return "%s holds %d NaN and %d infinite of %d values, the first at %d; no heatmap is drawn from them, find their source with the nan-guard hook"
        .formatted(what, nan, infinite, values.length, first);
  }
}
