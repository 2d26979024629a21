package io.camhook.samples.pictures;

/** A float RGB raster to draw on. Components are 0..255 and are clipped only at the end. */
final class Canvas {
  private static final int SAMPLES = 4;

  private final int width;
  private final int height;
  private final float[] rgb;

  Canvas(int width, int height) {
    this.width = width;
    this.height = height;
    this.rgb = new float[width * height * 3];
  }

  /** A region of the picture plane, in pixels. */
  interface Region {
    boolean contains(double x, double y);

    /** False only where no point within a pixel of this one belongs to the region. */
    default boolean isNear(double x, double y) {
      return true;
    }
  }

  /** Colour as a function of the pixel; writes three components. */
  interface Paint {
    void at(int x, int y, float[] colour);
  }

  void paint(Paint paint) {
    float[] colour = new float[3];
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        paint.at(x, y, colour);
        blend(x, y, colour, 1);
      }
    }
  }

  /**
   * Fills a region with smooth edges ({@value #SAMPLES}×{@value #SAMPLES} samples per pixel).
   *
   * @param radius half the side of a box around the centre that holds the region
   * @return the pixels of which at least half is covered
   */
  Mask fill(double centreX, double centreY, double radius, Region region, Paint paint) {
    boolean[] inside = new boolean[width * height];
    float[] colour = new float[3];
    int right = Math.min(width - 1, (int) (centreX + radius) + 1);
    int bottom = Math.min(height - 1, (int) (centreY + radius) + 1);
    for (int y = Math.max(0, (int) (centreY - radius) - 1); y <= bottom; y++) {
      for (int x = Math.max(0, (int) (centreX - radius) - 1); x <= right; x++) {
        if (!region.isNear(x + 0.5, y + 0.5)) {
          continue;
        }
        int covered = 0;
        for (int s = 0; s < SAMPLES * SAMPLES; s++) {
          double px = x + (s % SAMPLES + 0.5) / SAMPLES;
          double py = y + (s / SAMPLES + 0.5) / SAMPLES;
          covered += region.contains(px, py) ? 1 : 0;
        }
        if (covered > 0) {
          paint.at(x, y, colour);
          blend(x, y, colour, covered / (float) (SAMPLES * SAMPLES));
          inside[y * width + x] = covered * 2 >= SAMPLES * SAMPLES;
        }
      }
    }
    return new Mask(width, height, inside);
  }

  /** Mean colour of a square neighbourhood, clipped at the border. */
  float[] mean(int centreX, int centreY, int radius) {
    float[] sum = new float[3];
    int n = 0;
    for (int y = Math.max(0, centreY - radius); y <= Math.min(height - 1, centreY + radius); y++) {
      for (int x = Math.max(0, centreX - radius); x <= Math.min(width - 1, centreX + radius); x++) {
        for (int c = 0; c < 3; c++) {
          sum[c] += rgb[(y * width + x) * 3 + c];
        }
        n++;
      }
    }
    for (int c = 0; c < 3; c++) {
      sum[c] /= n;
    }
    return sum;
  }

  /** The raster as bytes, row-major, red first; {@code noise} is added to every component. */
  byte[] toBytes(Noise noise) {
    byte[] bytes = new byte[rgb.length];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) Math.max(0, Math.min(255, Math.round(rgb[i] + noise.next())));
    }
    return bytes;
  }

  /** A source of noise. */
  interface Noise {
    double next();
  }

  private void blend(int x, int y, float[] colour, float alpha) {
    int at = (y * width + x) * 3;
    for (int c = 0; c < 3; c++) {
      rgb[at + c] += alpha * (colour[c] - rgb[at + c]);
    }
  }
}
