package io.camhook.report;

/**
 * Values as unsigned integers between their smallest and largest finite value. The page decodes
 * them as {@code min + (max - min) * q / levels}. Non-finite values become the smallest.
 *
 * @param min value of 0
 * @param max value of the highest level
 * @param levels the integers, 16 bits little endian
 */
record Quantised(float min, float max, byte[] levels) {
  /** 65 536 levels, for maps: the page shows parts of their range. */
  static Quantised words(float[] values) {
    Range range = Range.of(values, 0, values.length);
    byte[] out = new byte[2 * values.length];
    for (int i = 0; i < values.length; i++) {
      int level = range.level(values[i], 65535);
      out[2 * i] = (byte) level;
      out[2 * i + 1] = (byte) (level >> 8);
    }
    return new Quantised(range.min, range.max, out);
  }

  /**
   * Writes 256 levels of {@code values[from, from + count)} to {@code out} and returns their range.
   */
  static Range bytes(float[] values, int from, int count, byte[] out, int at) {
    Range range = Range.of(values, from, count);
    for (int i = 0; i < count; i++) {
      out[at + i] = (byte) range.level(values[from + i], 255);
    }
    return range;
  }

  /** Smallest and largest finite value; 0 and 0 if there is none. */
  record Range(float min, float max) {
    static Range of(float[] values, int from, int count) {
      float min = Float.POSITIVE_INFINITY;
      float max = Float.NEGATIVE_INFINITY;
      for (int i = from; i < from + count; i++) {
        if (Float.isFinite(values[i])) {
          min = Math.min(min, values[i]);
          max = Math.max(max, values[i]);
        }
      }
      return min <= max ? new Range(min, max) : new Range(0, 0);
    }

    int level(float value, int levels) {
      if (!Float.isFinite(value) || max <= min) {
        return 0;
      }
      return (int) Math.round(((double) value - min) / ((double) max - min) * levels);
    }
  }
}
