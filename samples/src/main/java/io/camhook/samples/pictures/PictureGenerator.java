package io.camhook.samples.pictures;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Draws labelled pictures: one object of one {@link ShapeClass} (or two of different classes) of
 * random position, size, colour and rotation, on a textured, noisy background strewn with
 * distractors (lines, rods, dots) that belong to no class.
 *
 * <p>A picture depends only on the seed and its index: the bytes are the same on every JDK and in
 * any order. Immutable and thread-safe.
 */
public final class PictureGenerator {
  /** Width and height of every picture in pixels. */
  public static final int SIZE = 96;

  private static final double MARGIN = 2;
  private static final double MIN_RADIUS = 13;
  private static final double MAX_RADIUS = 23;
  private static final double MIN_CONTRAST = 90;

  private final long seed;

  public PictureGenerator(long seed) {
    this.seed = seed;
  }

  /** The picture of the given index, with one object. */
  public DrawnPicture picture(long index) {
    return draw(index, 1);
  }

  /** The picture of the given index, with two objects of different classes that do not overlap. */
  public DrawnPicture pair(long index) {
    return draw(index, 2);
  }

  private DrawnPicture draw(long index, int objects) {
    SplittableRandom random = new SplittableRandom(mix(mix(seed) + index));
    Canvas canvas = new Canvas(SIZE, SIZE);
    canvas.paint(new Texture(random));
    Distractors.scatter(canvas, random);
    List<PictureObject> truth = new ArrayList<>();
    for (Place place : places(random, objects)) {
      ShapeClass shape = pick(random, truth);
      truth.add(new PictureObject(shape, drawObject(canvas, random, shape, place)));
    }
    double amplitude = 4 + 14 * random.nextDouble();
    byte[] rgb = canvas.toBytes(() -> amplitude * triangular(random));
    return new DrawnPicture(SIZE, SIZE, rgb, List.copyOf(truth));
  }

  private record Place(double x, double y, double radius) {
    boolean clearOf(Place other) {
      double dx = x - other.x;
      double dy = y - other.y;
      double distance = radius + other.radius + MARGIN;
      return dx * dx + dy * dy > distance * distance;
    }
  }

  private static List<Place> places(SplittableRandom random, int count) {
    List<Place> places = new ArrayList<>();
    while (places.size() < count) {
      double max = count == 1 ? MAX_RADIUS : 20;
      double radius = MIN_RADIUS + (max - MIN_RADIUS) * random.nextDouble();
      double room = SIZE - 2 * (radius + MARGIN);
      Place place =
          new Place(
              radius + MARGIN + room * random.nextDouble(),
              radius + MARGIN + room * random.nextDouble(),
              radius);
      if (places.stream().allMatch(place::clearOf)) {
        places.add(place);
      }
    }
    return places;
  }

  private static ShapeClass pick(SplittableRandom random, List<PictureObject> taken) {
    ShapeClass[] all = ShapeClass.values();
    while (true) {
      ShapeClass shape = all[random.nextInt(all.length)];
      if (taken.stream().noneMatch(object -> object.shape() == shape)) {
        return shape;
      }
    }
  }

  private static Mask drawObject(
      Canvas canvas, SplittableRandom random, ShapeClass shape, Place at) {
    float[] colour = contrasting(canvas.mean((int) at.x, (int) at.y, (int) at.radius), random);
    double angle = 2 * Math.PI * random.nextDouble();
    double sin = StrictMath.sin(angle) / at.radius;
    double cos = StrictMath.cos(angle) / at.radius;
    double shade = 30 * random.nextDouble();
    return canvas.fill(
        at.x,
        at.y,
        at.radius,
        (px, py) -> {
          double dx = px - at.x;
          double dy = py - at.y;
          return shape.contains(cos * dx + sin * dy, cos * dy - sin * dx);
        },
        (px, py, out) -> {
          double light = shade * ((px - at.x) * cos + (py - at.y) * sin);
          for (int c = 0; c < 3; c++) {
            out[c] = (float) (colour[c] + light);
          }
        });
  }

  /** A random colour that stands out from the given one. */
  private static float[] contrasting(float[] background, SplittableRandom random) {
    while (true) {
      float[] colour = colour(random);
      double distance = 0;
      for (int c = 0; c < 3; c++) {
        distance += (colour[c] - background[c]) * (colour[c] - background[c]);
      }
      if (distance > MIN_CONTRAST * MIN_CONTRAST) {
        return colour;
      }
    }
  }

  static float[] colour(SplittableRandom random) {
    return new float[] {
      20 + random.nextInt(216), 20 + random.nextInt(216), 20 + random.nextInt(216)
    };
  }

  /** Between −1 and 1, most often near 0. */
  static double triangular(SplittableRandom random) {
    return random.nextDouble() + random.nextDouble() - 1;
  }

  /** The finaliser of SplitMix64, which spreads neighbouring indices over all bits. */
  private static long mix(long z) {
    z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
    z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
    return z ^ (z >>> 31);
  }
}
