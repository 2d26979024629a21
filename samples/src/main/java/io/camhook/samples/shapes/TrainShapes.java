package io.camhook.samples.shapes;

import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.GradientCollector;
import ai.djl.training.Trainer;
import ai.djl.training.dataset.Batch;
import ai.djl.training.initializer.XavierInitializer;
import ai.djl.training.loss.Loss;
import ai.djl.training.optimizer.Optimizer;
import ai.djl.training.tracker.Tracker;
import ai.djl.translate.TranslateException;
import io.camhook.samples.pictures.PictureGenerator;
import io.camhook.samples.pictures.ShapeClass;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * Trains {@link ShapesNet}: {@code TrainShapes DIRECTORY} writes {@code shapes-0000.params} and
 * {@code synset.txt} there and prints the accuracy of the network.
 *
 * <p>Global average pooling dilutes the object among the background, so the network first learns
 * from squares cut around it, then from whole pictures. Each picture is seen only once, so the
 * network cannot overfit. Runs on one engine thread ({@code -Dai.djl.pytorch.num_threads=1}) are
 * reproducible if the engine's convolutions are: on some processors, some of oneDNN's are not.
 */
public final class TrainShapes {
  private static final int SEED = 20;
  private static final int BATCH = 32;
  private static final int REPORT = 100;

  private TrainShapes() {}

  public static void main(String[] args) throws IOException, TranslateException {
    if (args.length != 1) {
      System.err.println("usage: TrainShapes DIRECTORY");
      System.exit(2);
    }
    Path directory = Path.of(args[0]);
    Engine.getInstance().setRandomSeed(SEED);
    long start = System.nanoTime();
    try (Model model = Model.newInstance(ShapesNet.NAME)) {
      model.setBlock(ShapesNet.block(ShapeClass.values().length));
      fit(model, new Phase(48, 2400, 4e-3f));
      fit(model, new Phase(PictureGenerator.SIZE, 1000, 2e-3f));
      model.setProperty("Epoch", "0");
      Files.createDirectories(directory);
      model.save(directory, ShapesNet.NAME);
      Files.write(
          directory.resolve("synset.txt"),
          Arrays.stream(ShapeClass.values()).map(ShapeClass::label).toList());
      System.out.printf("trained in %d s%n", (System.nanoTime() - start) / 1_000_000_000);
      System.out.println(ShapesEvaluation.of(model, SEED + 1, 1000));
    }
  }

  /**
   * A part of the training.
   *
   * @param side of the pictures
   * @param steps of one batch each
   * @param peakRate highest learning rate
   */
  private record Phase(int side, int steps, float peakRate) implements Tracker {

    /** Rises to the peak in the first tenth of the steps, then falls along a half cosine. */
    @Override
    public float getNewValue(int step) {
      double t = Math.min(1, step / (double) steps);
      double rate = t < 0.1 ? t / 0.1 : 0.5 + 0.5 * Math.cos(Math.PI * (t - 0.1) / 0.9);
      return (float) (peakRate * Math.max(rate, 1e-3));
    }
  }

  private static void fit(Model model, Phase phase) throws IOException, TranslateException {
    DefaultTrainingConfig config =
        new DefaultTrainingConfig(Loss.softmaxCrossEntropyLoss())
            .optInitializer(new XavierInitializer(), Parameter.Type.WEIGHT)
            .optOptimizer(Optimizer.adam().optLearningRateTracker(phase).build());
    PictureDataset pictures =
        new PictureDataset(SEED + phase.side, (long) phase.steps * BATCH, BATCH, phase.side);
    try (Trainer trainer = model.newTrainer(config)) {
      trainer.initialize(new Shape(BATCH, 3, phase.side, phase.side));
      int step = 0;
      double loss = 0;
      for (Batch batch : trainer.iterateDataset(pictures)) {
        loss += learn(trainer, batch);
        if (++step % REPORT == 0) {
          System.out.printf(
              "%2d px: step %4d of %d, loss %.4f%n", phase.side, step, phase.steps, loss / REPORT);
          loss = 0;
        }
      }
    }
  }

  private static float learn(Trainer trainer, Batch batch) {
    try (batch;
        GradientCollector gradients = trainer.newGradientCollector()) {
      NDArray loss =
          trainer.getLoss().evaluate(batch.getLabels(), trainer.forward(batch.getData()));
      gradients.backward(loss);
      trainer.step();
      return loss.getFloat();
    }
  }
}
