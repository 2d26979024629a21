package app;

import ai.djl.Model;
import ai.djl.inference.Predictor;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.Block;
import ai.djl.nn.Blocks;
import ai.djl.nn.LambdaBlock;
import ai.djl.nn.Parameter;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.convolutional.Conv2d;
import ai.djl.nn.core.Linear;
import ai.djl.nn.pooling.Pool;
import ai.djl.training.initializer.Initializer;
import ai.djl.translate.Batchifier;
import ai.djl.translate.NoBatchifyTranslator;
import ai.djl.translate.TranslatorContext;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * Four threads predict with one small DJL network; prints every logit's bits. With {@code
 * -Dapp.broken=true} the network has a logarithm instead of a ReLU; {@code -Dapp.scale} is the
 * largest weight.
 */
public final class Predict {
  private static final int PICTURES = 8;

  private Predict() {}

  public static void main(String[] args) throws Exception {
    System.out.println("loader " + Model.class.getClassLoader().getClass().getSimpleName());
    try (Model model = Model.newInstance("tiny")) {
      model.setBlock(network());
      model.getBlock().initialize(model.getNDManager(), DataType.FLOAT32, new Shape(1, 3, 16, 16));
      ExecutorService threads = Executors.newFixedThreadPool(4);
      List<Future<String>> results = new ArrayList<>();
      for (int i = 0; i < PICTURES; i++) {
        int picture = i;
        results.add(threads.submit(() -> predict(model, picture)));
      }
      for (Future<String> result : results) {
        System.out.println(result.get());
      }
      threads.shutdown();
    }
  }

  private static SequentialBlock network() {
    SequentialBlock block =
        new SequentialBlock()
            .add(conv(8))
            .add(Activation::relu)
            .add(conv(16))
            .add(Boolean.getBoolean("app.broken") ? logarithm() : Activation.reluBlock())
            .add(Pool.globalAvgPool2dBlock())
            .add(Blocks.batchFlattenBlock())
            .add(Linear.builder().setUnits(5).build());
    block.setInitializer(new Ramp(), Parameter.Type.WEIGHT);
    return block;
  }

  private static Block logarithm() {
    return new LambdaBlock(list -> new NDList(list.head().log()), "Log");
  }

  private static Conv2d conv(int filters) {
    return Conv2d.builder()
        .setFilters(filters)
        .setKernelShape(new Shape(3, 3))
        .optPadding(new Shape(1, 1))
        .build();
  }

  private static String predict(Model model, int picture) throws Exception {
    try (Predictor<float[], float[]> predictor = model.newPredictor(new Pictures())) {
      float[] pixels = new float[3 * 16 * 16];
      for (int i = 0; i < pixels.length; i++) {
        pixels[i] = (float) Math.sin(0.37 * i + picture);
      }
      float[] logits = predictor.predict(pixels);
      int[] bits = new int[logits.length];
      Arrays.setAll(bits, i -> Float.floatToRawIntBits(logits[i]));
      return picture + " " + Arrays.toString(bits);
    }
  }

  /** Weights that are the same in every run. */
  private static final class Ramp implements Initializer {
    @Override
    public NDArray initialize(NDManager manager, Shape shape, DataType type) {
      return manager
          .arange((float) shape.size())
          .mul(0.7f)
          .sin()
          .mul(Float.parseFloat(System.getProperty("app.scale", "0.3")))
          .reshape(shape);
    }
  }

  private static final class Pictures implements NoBatchifyTranslator<float[], float[]> {
    @Override
    public NDList processInput(TranslatorContext context, float[] pixels) {
      return new NDList(context.getNDManager().create(pixels, new Shape(1, 3, 16, 16)));
    }

    @Override
    public float[] processOutput(TranslatorContext context, NDList list) {
      return list.singletonOrThrow().toFloatArray();
    }

    @Override
    public Batchifier getBatchifier() {
      return null;
    }
  }
}
