package io.camhook.samples.pictures;

import java.util.SplittableRandom;

/**
 * A background: a colour gradient with two octaves of value noise (random values on a coarse grid,
 * interpolated), each with its own tint.
 */
final class Texture implements Canvas.Paint {
  private final float[] left;
  private final float[] right;
  private final Octave coarse;
  private final Octave fine;

  Texture(SplittableRandom random) {
    left = PictureGenerator.colour(random);
    right = left.clone();
    for (int c = 0; c < 3; c++) {
      right[c] += (float) (40 * PictureGenerator.triangular(random));
    }
    coarse = new Octave(random, 16 + random.nextInt(17), 70);
    fine = new Octave(random, 4 + random.nextInt(5), 40);
  }

  @Override
  public void at(int x, int y, float[] colour) {
    float t = (x + y) / (2f * PictureGenerator.SIZE);
    float a = coarse.at(x, y);
    float b = fine.at(x, y);
    for (int c = 0; c < 3; c++) {
      colour[c] = left[c] + t * (right[c] - left[c]) + a * coarse.tint[c] + b * fine.tint[c];
    }
  }

  private static final class Octave {
    private final int cell;
    private final int columns;
    private final float[] values;
    private final float[] tint = new float[3];

    Octave(SplittableRandom random, int cell, double amplitude) {
      this.cell = cell;
      this.columns = PictureGenerator.SIZE / cell + 2;
      this.values = new float[columns * columns];
      for (int i = 0; i < values.length; i++) {
        values[i] = (float) PictureGenerator.triangular(random);
      }
      for (int c = 0; c < 3; c++) {
        tint[c] = (float) (amplitude * random.nextDouble());
      }
    }

    float at(int x, int y) {
      int column = x / cell;
      int row = y / cell;
      float u = (x % cell) / (float) cell;
      float v = (y % cell) / (float) cell;
      int at = row * columns + column;
      float top = values[at] + u * (values[at + 1] - values[at]);
      float bottom = values[at + columns] + u * (values[at + columns + 1] - values[at + columns]);
      return top + v * (bottom - top);
    }
  }
}
