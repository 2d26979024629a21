package app;

import ai.djl.Model;
import ai.djl.inference.Predictor;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.Blocks;
import ai.djl.nn.Parameter;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.convolutional.Conv2d;
import ai.djl.nn.core.Linear;
import ai.djl.nn.pooling.Pool;
import ai.djl.training.initializer.Initializer;
import ai.djl.translate.NoopTranslator;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * A service of DJL's that knows nothing of camhook: answers requests until the file of the first
 * argument exists, at least as many as the second says. Prints how many there were, and how many
 * differed from the first answer to the same input.
 */
public final class Service {
  private static final int INPUTS = 8;

  /** So that a test can hold all captures of the time that a broker needs. */
  private static final int PAUSE_MILLIS = 5;

  private Service() {}

  public static void main(String[] arguments) throws Exception {
    Path stop = Path.of(arguments[0]);
    int least = Integer.parseInt(arguments[1]);
    float[][] answers = new float[INPUTS][];
    int requests = 0;
    int different = 0;
    try (Model model = Model.newInstance("service")) {
      model.setBlock(network());
      model.getBlock().initialize(model.getNDManager(), DataType.FLOAT32, new Shape(1, 3, 16, 16));
      try (Predictor<NDList, NDList> predictor = model.newPredictor(new NoopTranslator(null))) {
        while (requests < least || !Files.exists(stop)) {
          Thread.sleep(PAUSE_MILLIS);
          int input = requests++ % INPUTS;
          float[] answer = answer(predictor, input);
          if (answers[input] == null) {
            answers[input] = answer;
          } else if (!Arrays.equals(answers[input], answer)) {
            different++;
          }
        }
      }
    }
    System.out.println(requests + " requests, " + different + " different");
    System.out.println(Arrays.deepToString(answers));
  }

  private static float[] answer(Predictor<NDList, NDList> predictor, int input) throws Exception {
    try (NDManager manager = NDManager.newBaseManager()) {
      NDArray picture = manager.arange(768f).mul(0.37f).add(input).sin().reshape(1, 3, 16, 16);
      try (NDList logits = predictor.predict(new NDList(picture))) {
        return logits.head().toFloatArray();
      }
    }
  }

  private static SequentialBlock network() {
    SequentialBlock block =
        new SequentialBlock()
            .add(
                Conv2d.builder()
                    .setFilters(32)
                    .setKernelShape(new Shape(3, 3))
                    .optPadding(new Shape(1, 1))
                    .build())
            .add(Activation::relu)
            .add(Pool.globalAvgPool2dBlock())
            .add(Blocks.batchFlattenBlock())
            .add(Linear.builder().setUnits(5).build());
    block.setInitializer(new Ramp(), Parameter.Type.WEIGHT);
    return block;
  }

  /** Weights that are the same in every run. */
  private static final class Ramp implements Initializer {
    @Override
    public NDArray initialize(NDManager manager, Shape shape, DataType type) {
      return manager.arange((float) shape.size()).mul(0.7f).sin().mul(0.3f).reshape(shape);
    }
  }
}
