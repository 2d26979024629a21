package io.camhook.samples.pictures;

import java.util.SplittableRandom;

/** Clutter that belongs to no class: thin lines, short rods, dots. */
final class Distractors {
  private Distractors() {}

  static void scatter(Canvas canvas, SplittableRandom random) {
    for (int lines = random.nextInt(2, 6); lines > 0; lines--) {
      rod(canvas, random, 20 + 50 * random.nextDouble(), 0.4 + 0.6 * random.nextDouble());
    }
    for (int rods = random.nextInt(2, 7); rods > 0; rods--) {
      rod(canvas, random, 4 + 5 * random.nextDouble(), 1 + random.nextDouble());
    }
    for (int dots = random.nextInt(3, 10); dots > 0; dots--) {
      double radius = 1 + 2.2 * random.nextDouble();
      rod(canvas, random, radius, radius);
    }
  }

  /** An ellipse with the given half axes, anywhere, in any direction and colour. */
  private static void rod(Canvas canvas, SplittableRandom random, double length, double width) {
    double x = PictureGenerator.SIZE * random.nextDouble();
    double y = PictureGenerator.SIZE * random.nextDouble();
    double angle = Math.PI * random.nextDouble();
    float[] colour = PictureGenerator.colour(random);
    canvas.fill(
        x,
        y,
        length,
        new Ellipse(x, y, StrictMath.cos(angle), StrictMath.sin(angle), length, width),
        (px, py, out) -> System.arraycopy(colour, 0, out, 0, 3));
  }

  private record Ellipse(double x, double y, double cos, double sin, double length, double width)
      implements Canvas.Region {
    @Override
    public boolean contains(double px, double py) {
      double along = along(px, py) / length;
      double across = across(px, py) / width;
      return along * along + across * across <= 1;
    }

    @Override
    public boolean isNear(double px, double py) {
      return Math.abs(across(px, py)) <= width + 1 && Math.abs(along(px, py)) <= length + 1;
    }

    private double along(double px, double py) {
      return (px - x) * cos + (py - y) * sin;
    }

    private double across(double px, double py) {
      return (py - y) * cos - (px - x) * sin;
    }
  }
}
