package io.camhook.samples.plainjava;

import io.camhook.samples.pictures.DrawnPicture;
import io.camhook.samples.pictures.ShapeClass;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * Classifies the pictures of a folder, and prints where in each picture the answer is most
 * sensitive: {@code PlainDemo DIRECTORY [OUTPUTS]}. Every picture goes forward through the network,
 * and the score of the answer goes backward to the pixels.
 *
 * <p>The directory holds 96×96 PNG files, as {@code ShapesDemo} writes them, each named after what
 * it shows; the optional file takes all logits, little-endian float32.
 */
public final class PlainDemo {
  private PlainDemo() {}

  public static void main(String[] args) throws IOException {
    if (args.length < 1 || args.length > 2) {
      System.err.println("usage: PlainDemo DIRECTORY [OUTPUTS]");
      System.exit(2);
    }
    PlainNet net = PlainNet.load();
    List<Path> files = pngs(Path.of(args[0]));
    int classes = ShapeClass.values().length;
    ByteBuffer outputs =
        ByteBuffer.allocate(files.size() * classes * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    int correct = 0;
    for (Path file : files) {
      DrawnPicture picture = DrawnPicture.read(file);
      float[] logits = net.forward(PlainNet.planes(picture));
      int best = PlainNet.best(logits);
      float[] score = new float[classes];
      score[best] = 1;
      String answer = ShapeClass.values()[best].label();
      correct += file.getFileName().toString().contains(answer) ? 1 : 0;
      Pixel strongest = strongest(net.backward(score));
      System.out.printf(
          "%-22s %-8s %5.1f %%  most sensitive at (%d, %d)%n",
          file.getFileName(),
          answer,
          100 * PlainNet.softmax(logits)[best],
          strongest.x,
          strongest.y);
      for (float logit : logits) {
        outputs.putFloat(logit);
      }
    }
    System.out.printf("%d of %d pictures named correctly%n", correct, files.size());
    if (args.length == 2) {
      Files.write(Path.of(args[1]), outputs.array());
    }
  }

  private static List<Path> pngs(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.filter(file -> file.toString().endsWith(".png")).sorted().toList();
    }
  }

  private record Pixel(int x, int y) {}

  /** The pixel whose three gradients are largest together. */
  private static Pixel strongest(float[][][] gradient) {
    Pixel strongest = new Pixel(0, 0);
    float most = -1;
    for (int y = 0; y < gradient[0].length; y++) {
      for (int x = 0; x < gradient[0][y].length; x++) {
        float sum = 0;
        for (float[][] plane : gradient) {
          sum += Math.abs(plane[y][x]);
        }
        if (sum > most) {
          most = sum;
          strongest = new Pixel(x, y);
        }
      }
    }
    return strongest;
  }
}
