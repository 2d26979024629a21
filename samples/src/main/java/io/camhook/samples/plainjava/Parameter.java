package io.camhook.samples.plainjava;

import java.util.SplittableRandom;

/** Learnt numbers, and their gradient. */
final class Parameter {
  final float[] value;
  final float[] gradient;

  Parameter(int size) {
    value = new float[size];
    gradient = new float[size];
  }

  /** Fills with uniform noise of variance 2 / fanIn (He et al. 2015). */
  void initialise(SplittableRandom random, int fanIn) {
    double bound = Math.sqrt(6.0 / fanIn);
    for (int i = 0; i < value.length; i++) {
      value[i] = (float) (bound * (2 * random.nextDouble() - 1));
    }
  }
}
