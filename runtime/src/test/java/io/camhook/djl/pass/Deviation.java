package io.camhook.djl.pass;

import com.fasterxml.jackson.databind.JsonNode;

/** How far values are from those of the reference, relative, in the Euclidean norm. */
final class Deviation {
  private Deviation() {}

  static double of(float[] found, float[] expected) {
    if (found.length != expected.length) {
      return Double.POSITIVE_INFINITY;
    }
    double difference = 0;
    double norm = 0;
    for (int i = 0; i < expected.length; i++) {
      difference += Math.pow((double) found[i] - expected[i], 2);
      norm += (double) expected[i] * expected[i];
    }
    return norm == 0 ? Math.sqrt(difference) : Math.sqrt(difference / norm);
  }

  /** The worst of: norm, mean of absolute values, distance of the sample. */
  static double of(float[] found, JsonNode expected, JsonNode at) {
    double squares = 0;
    double absolutes = 0;
    for (float f : found) {
      squares += (double) f * f;
      absolutes += Math.abs(f);
    }
    double l2 = expected.get("l2").asDouble();
    double mean = expected.get("absmean").asDouble();
    double difference = 0;
    double sample = 0;
    for (int i = 0; i < at.size(); i++) {
      double e = expected.get("sample").get(i).asDouble();
      difference += Math.pow(found[at.get(i).asInt()] - e, 2);
      sample += e * e;
    }
    // A sample of near zeros is measured by the size of a typical element.
    double typical = 0.1 * l2 * Math.sqrt((double) at.size() / found.length);
    double scale = Math.max(Math.max(Math.sqrt(sample), typical), Float.MIN_NORMAL);
    double error = Math.sqrt(difference) / scale;
    error = Math.max(error, Math.abs(Math.sqrt(squares) - l2) / Math.max(l2, Float.MIN_NORMAL));
    double meanError = Math.abs(absolutes / found.length - mean);
    return Math.max(error, meanError / Math.max(mean, Float.MIN_NORMAL));
  }
}
