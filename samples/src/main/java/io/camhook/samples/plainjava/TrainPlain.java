package io.camhook.samples.plainjava;

import io.camhook.samples.pictures.DrawnPicture;
import io.camhook.samples.pictures.PictureGenerator;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SplittableRandom;

/**
 * Trains {@link PlainNet}: {@code TrainPlain DIRECTORY} writes {@code plain.weights} there, first
 * from squares cut around the object, then from whole pictures, each picture once.
 */
public final class TrainPlain {
  private static final int SEED = 30;
  private static final int BATCH = 16;
  private static final int REPORT = 250;

  private TrainPlain() {}

  public static void main(String[] args) throws IOException {
    if (args.length != 1) {
      System.err.println("usage: TrainPlain DIRECTORY");
      System.exit(2);
    }
    long start = System.nanoTime();
    PlainNet small = new PlainNet(48, new SplittableRandom(SEED));
    fit(small, 48, 5000, 3e-3f);
    PlainNet net = new PlainNet(PictureGenerator.SIZE, new SplittableRandom(SEED));
    net.copyFrom(small);
    fit(net, PictureGenerator.SIZE, 1500, 2e-3f);
    Path file = Path.of(args[0]).resolve(PlainNet.WEIGHTS);
    try (DataOutputStream out = new DataOutputStream(Files.newOutputStream(file))) {
      net.save(out);
    }
    System.out.printf("trained in %d s%n", (System.nanoTime() - start) / 1_000_000_000);
    System.out.printf(
        "accuracy on unseen pictures: %.2f %%%n", 100 * accuracy(net, SEED + 1, 1000));
  }

  private static void fit(PlainNet net, int side, int steps, float peakRate) {
    PictureGenerator generator = new PictureGenerator(SEED + side);
    long index = 0;
    double loss = 0;
    for (int step = 1; step <= steps; step++) {
      for (int i = 0; i < BATCH; i++) {
        loss += learn(net, generator.picture(index++).around(side));
      }
      float rate = rate(step / (double) steps, peakRate);
      for (Parameter parameter : net.parameters()) {
        parameter.step(rate, step);
      }
      if (step % REPORT == 0) {
        System.out.printf(
            "%2d px: step %4d of %d, loss %.4f%n", side, step, steps, loss / REPORT / BATCH);
        loss = 0;
      }
    }
  }

  /** Adds the gradient of the cross-entropy to the parameters; returns the cross-entropy. */
  private static double learn(PlainNet net, DrawnPicture picture) {
    int truth = picture.objects().get(0).shape().ordinal();
    float[] p = PlainNet.softmax(net.forward(PlainNet.planes(picture)));
    double loss = -Math.log(Math.max(p[truth], 1e-30));
    p[truth] -= 1;
    for (int i = 0; i < p.length; i++) {
      p[i] /= BATCH;
    }
    net.backward(p);
    return loss;
  }

  /** Up to the peak in the first twentieth, then down along a half cosine. */
  private static float rate(double t, float peak) {
    return (float)
        (peak * (t < 0.05 ? t / 0.05 : 0.5 + 0.5 * Math.cos(Math.PI * (t - 0.05) / 0.95)));
  }

  /** The share of correct answers for the first pictures of the given seed. */
  static double accuracy(PlainNet net, long seed, int pictures) {
    PictureGenerator generator = new PictureGenerator(seed);
    int correct = 0;
    for (int i = 0; i < pictures; i++) {
      DrawnPicture picture = generator.picture(i);
      int predicted = PlainNet.best(net.forward(PlainNet.planes(picture)));
      correct += predicted == picture.objects().get(0).shape().ordinal() ? 1 : 0;
    }
    return correct / (double) pictures;
  }
}
