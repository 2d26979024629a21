package io.camhook.cam.model;

import java.util.Random;

/** Normal noise on an input. */
final class Noise {

  private Noise() {}

  static void add(float[] input, double sigma, Random random, float[] batch, int offset) {
    for (int p = 0; p < input.length; p++) {
      batch[offset + p] = (float) (input[p] + sigma * random.nextGaussian());
    }
  }
}
