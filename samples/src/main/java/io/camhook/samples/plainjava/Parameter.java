package io.camhook.samples.plainjava;

import java.util.Arrays;
import java.util.SplittableRandom;

/** Numbers that are learnt, their gradient, and Adam's two moments (Kingma and Ba 2015). */
final class Parameter {
  private static final float BETA1 = 0.9f;
  private static final float BETA2 = 0.999f;
  private static final float EPSILON = 1e-8f;

  final float[] value;
  final float[] gradient;
  private final float[] first;
  private final float[] second;

  Parameter(int size) {
    value = new float[size];
    gradient = new float[size];
    first = new float[size];
    second = new float[size];
  }

  /** Fills with uniform noise of variance 2 / fanIn (He et al. 2015). */
  void initialise(SplittableRandom random, int fanIn) {
    double bound = Math.sqrt(6.0 / fanIn);
    for (int i = 0; i < value.length; i++) {
      value[i] = (float) (bound * (2 * random.nextDouble() - 1));
    }
  }

  /**
   * One step of Adam down the gradient, which is cleared.
   *
   * @param step number of this step, from 1
   */
  void step(float rate, int step) {
    double correction = Math.sqrt(1 - Math.pow(BETA2, step)) / (1 - Math.pow(BETA1, step));
    float corrected = (float) (rate * correction);
    for (int i = 0; i < value.length; i++) {
      float g = gradient[i];
      first[i] += (1 - BETA1) * (g - first[i]);
      second[i] += (1 - BETA2) * (g * g - second[i]);
      value[i] -= corrected * first[i] / ((float) Math.sqrt(second[i]) + EPSILON);
    }
    Arrays.fill(gradient, 0);
  }
}
