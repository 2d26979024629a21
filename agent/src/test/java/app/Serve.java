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
import ai.djl.nn.core.Linear;
import ai.djl.training.initializer.Initializer;
import ai.djl.translate.NoopTranslator;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Predicts with a network of Java blocks and with the TorchScript archive {@code net.pt}, each on
 * its own thread, until there is a file {@code stop}; prints the number of results, and how many
 * differed from the first one. If there is a file {@code reload}, it loads the archive again.
 */
public final class Serve {
  private static final AtomicLong ANSWERS = new AtomicLong();
  private static final AtomicLong DIFFERENT = new AtomicLong();

  private Serve() {}

  public static void main(String[] args) throws Exception {
    List<Thread> threads = new ArrayList<>();
    for (Runnable work : List.<Runnable>of(Serve::blocks, Serve::script)) {
      Thread thread = new Thread(work);
      thread.start();
      threads.add(thread);
    }
    for (Thread thread : threads) {
      thread.join();
    }
    System.out.println("different " + DIFFERENT + " of some " + (ANSWERS.get() > 0));
  }

  private static void blocks() {
    try (Model model = Model.newInstance("tiny", "PyTorch")) {
      model.setBlock(
          new SequentialBlock()
              .add(Blocks.batchFlattenBlock())
              .add(Linear.builder().setUnits(16).build())
              .add(Activation.reluBlock())
              .add(Linear.builder().setUnits(4).build()));
      model.getBlock().setInitializer(ramp(), Parameter.Type.WEIGHT);
      model.getBlock().initialize(model.getNDManager(), DataType.FLOAT32, new Shape(1, 3, 48, 40));
      serve(model);
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  private static Initializer ramp() {
    return (manager, shape, type) ->
        manager.arange((float) shape.size()).mul(0.7f).sin().mul(0.03f).reshape(shape);
  }

  private static void script() {
    try {
      while (true) {
        try (Model model = Model.newInstance("net", "PyTorch")) {
          model.load(Path.of("net.pt"));
          if (!serve(model)) {
            return;
          }
        }
      }
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  /** Whether the model is to be loaded again. */
  private static boolean serve(Model model) throws Exception {
    float[] first = null;
    try (NDManager manager = NDManager.newBaseManager("PyTorch");
        Predictor<NDList, NDList> predictor = model.newPredictor(new NoopTranslator(null))) {
      NDArray picture =
          manager.arange(3 * 48 * 40).toType(DataType.FLOAT32, false).mul(0.37f).sin();
      while (!Files.exists(Path.of("stop"))) {
        if (model.getName().equals("net") && Files.deleteIfExists(Path.of("reload"))) {
          System.out.println("loaded again");
          return true;
        }
        try (NDManager scope = manager.newSubManager()) {
          NDArray input = picture.reshape(new Shape(1, 3, 48, 40));
          input.attach(scope);
          NDList outputs = predictor.predict(new NDList(input));
          outputs.attach(scope);
          float[] answer = outputs.head().toFloatArray();
          if (first == null) {
            first = answer;
            System.out.println("serving " + model.getName());
          }
          ANSWERS.incrementAndGet();
          if (!Arrays.equals(answer, first)) {
            DIFFERENT.incrementAndGet();
          }
        }
      }
      return false;
    }
  }
}
