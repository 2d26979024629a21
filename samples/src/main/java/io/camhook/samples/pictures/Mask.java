package io.camhook.samples.pictures;

import java.util.Arrays;

/**
 * The pixels that belong to one object.
 *
 * @param width in pixels
 * @param height in pixels
 * @param inside one flag per pixel, row-major
 */
public record Mask(int width, int height, boolean[] inside) {

  public boolean contains(int x, int y) {
    return inside[y * width + x];
  }

  /** Number of pixels inside. */
  public int area() {
    int area = 0;
    for (boolean in : inside) {
      area += in ? 1 : 0;
    }
    return area;
  }

  /** Mean column of the pixels inside, rounded. */
  int centreX() {
    long sum = 0;
    for (int i = 0; i < inside.length; i++) {
      sum += inside[i] ? i % width : 0;
    }
    return Math.round(sum / (float) area());
  }

  /** Mean row of the pixels inside, rounded. */
  int centreY() {
    long sum = 0;
    for (int i = 0; i < inside.length; i++) {
      sum += inside[i] ? i / width : 0;
    }
    return Math.round(sum / (float) area());
  }

  /** The part of the mask in a square window. */
  Mask cut(int left, int top, int side) {
    boolean[] part = new boolean[side * side];
    for (int y = 0; y < side; y++) {
      System.arraycopy(inside, (top + y) * width + left, part, y * side, side);
    }
    return new Mask(side, side, part);
  }

  @Override
  public boolean equals(Object o) {
    return o instanceof Mask m
        && m.width == width
        && m.height == height
        && Arrays.equals(m.inside, inside);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(inside);
  }

  @Override
  public String toString() {
    return "Mask[" + width + "x" + height + ", area " + area() + "]";
  }
}
