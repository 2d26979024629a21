package io.camhook.samples.pictures;

import java.util.Locale;

/**
 * The kinds of object in the sample pictures. Each is a region of the plane inside the unit circle;
 * y points down, as in pictures.
 */
public enum ShapeClass {
  DISC {
    @Override
    boolean contains(double x, double y) {
      return x * x + y * y <= 0.81;
    }
  },
  SQUARE {
    @Override
    boolean contains(double x, double y) {
      return Math.abs(x) <= 0.7 && Math.abs(y) <= 0.7;
    }
  },
  TRIANGLE {
    private final Polygon outline = Polygon.regular(3, 1);

    @Override
    boolean contains(double x, double y) {
      return outline.contains(x, y);
    }
  },
  STAR {
    private final Polygon outline = Polygon.regular(5, 0.42);

    @Override
    boolean contains(double x, double y) {
      return outline.contains(x, y);
    }
  },
  CROSS {
    @Override
    boolean contains(double x, double y) {
      double longer = Math.max(Math.abs(x), Math.abs(y));
      double shorter = Math.min(Math.abs(x), Math.abs(y));
      return longer <= 0.93 && shorter <= 0.29;
    }
  },
  HEART {
    @Override
    boolean contains(double x, double y) {
      // (u² + v² − 1)³ ≤ u² v³, the usual heart curve with v up, shrunk into the unit circle
      double u = x * 1.3;
      double v = -y * 1.3 + 0.2;
      double ring = u * u + v * v - 1;
      return ring * ring * ring <= u * u * v * v * v;
    }
  },
  ARROW {
    private final Polygon outline =
        new Polygon(
            new double[] {0, 0.72, 0.26, 0.26, -0.26, -0.26, -0.72},
            new double[] {-0.98, 0, 0, 0.94, 0.94, 0, 0});

    @Override
    boolean contains(double x, double y) {
      return outline.contains(x, y);
    }
  };

  /** Whether the point belongs to the shape. */
  abstract boolean contains(double x, double y);

  /** The class name as in {@code synset.txt} and in file names: lower case. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }
}
