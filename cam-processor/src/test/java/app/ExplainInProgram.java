package app;

import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.Blocks;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.convolutional.Conv2d;
import ai.djl.training.initializer.Initializer;
import io.camhook.cam.Heatmaps;
import io.camhook.cam.model.RunOptions;
import io.camhook.cam.targets.Labels;
import io.camhook.cam.targets.TargetChoice;
import io.camhook.explain.Explained;
import io.camhook.explain.Explainer;
import io.camhook.explain.ModelInput;
import io.camhook.recording.Tensor;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/**
 * A program that explains a TorchScript file, or blocks of its own, and prints the raw Grad-CAM.
 */
public final class ExplainInProgram {
  private ExplainInProgram() {}

  public static void main(String[] args) throws Exception {
    if (args.length > 0) {
      try (Explainer explainer = Explainer.load(Path.of(args[0]), List.of("relu1"))) {
        print(explainer);
      }
      return;
    }
    SequentialBlock net =
        new SequentialBlock()
            .add(Conv2d.builder().setFilters(1).setKernelShape(new Shape(3, 3)).build())
            .add(Activation.reluBlock())
            .add(Blocks.batchFlattenBlock());
    net.setInitializer(Initializer.ONES, parameter -> true);
    try (NDManager manager = NDManager.newBaseManager()) {
      net.initialize(manager, DataType.FLOAT32, new Shape(1, 1, 4, 4));
      try (Explainer explainer = Explainer.of(net, List.of("02LambdaBlock"))) {
        print(explainer);
      }
    }
  }

  private static void print(Explainer explainer) throws Exception {
    float[] ramp = new float[16];
    for (int i = 0; i < ramp.length; i++) {
      ramp[i] = i;
    }
    Tensor input = Tensor.ofFloats(ramp, 1, 1, 4, 4);
    Explained explained =
        explainer.run(ModelInput.of("ramp", input), TargetChoice.parse("class:0", Labels.none()));
    System.out.println(
        Arrays.toString(
            explained
                .map("gradcam", 0, RunOptions.forInput(input), Heatmaps.standard())
                .raw()
                .values()
                .iterator()
                .next()
                .values()));
  }
}
