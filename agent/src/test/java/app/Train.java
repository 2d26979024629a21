package app;

import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.Blocks;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.core.Linear;
import ai.djl.nn.norm.BatchNorm;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.GradientCollector;
import ai.djl.training.Trainer;
import ai.djl.training.loss.Loss;
import ai.djl.training.optimizer.Optimizer;
import ai.djl.training.tracker.Tracker;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Trains a small network for 50 steps with a fixed seed: {@code Train FILE} writes its weights. It
 * has no convolutions, because some of the engine's differ from run to run.
 */
public final class Train {
  private static final int STEPS = 50;

  private Train() {}

  public static void main(String[] args) throws IOException {
    try (Model model = Model.newInstance("tiny")) {
      model.getNDManager().getEngine().setRandomSeed(11);
      model.setBlock(
          new SequentialBlock()
              .add(Blocks.batchFlattenBlock())
              .add(Linear.builder().setUnits(16).build())
              .add(BatchNorm.builder().build())
              .add(Activation.reluBlock())
              .add(Linear.builder().setUnits(8).build())
              .add(Activation.reluBlock())
              .add(Linear.builder().setUnits(4).build()));
      DefaultTrainingConfig config =
          new DefaultTrainingConfig(Loss.softmaxCrossEntropyLoss())
              .optOptimizer(Optimizer.adam().optLearningRateTracker(Tracker.fixed(0.01f)).build());
      try (Trainer trainer = model.newTrainer(config)) {
        trainer.initialize(new Shape(4, 1, 8, 8));
        for (int step = 0; step < STEPS; step++) {
          learn(trainer, step);
        }
      }
      try (DataOutputStream out = new DataOutputStream(Files.newOutputStream(Path.of(args[0])))) {
        model.getBlock().saveParameters(out);
      }
      NDArray weight = model.getBlock().getParameters().valueAt(0).getArray();
      System.out.println("finite " + !weight.isNaN().any().getBoolean());
    }
  }

  private static void learn(Trainer trainer, int step) {
    try (NDManager batch = trainer.getManager().newSubManager();
        GradientCollector collector = trainer.newGradientCollector()) {
      NDArray x = batch.randomNormal(new Shape(4, 1, 8, 8));
      NDArray labels = batch.create(new float[] {0, 1, 2, 3}, new Shape(4, 1));
      NDList y = trainer.forward(new NDList(x));
      collector.backward(trainer.getLoss().evaluate(new NDList(labels), y));
      trainer.step();
    }
  }
}
