package io.camhook.samples.lecture;

import ai.djl.MalformedModelException;
import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.modality.cv.ImageFactory;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Block;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import io.camhook.ForwardHook;
import io.camhook.FullBackwardHook;
import io.camhook.HookHandle;
import io.camhook.Hooks;
import io.camhook.samples.shapes.ShapesNet;
import io.camhook.samples.shapes.ShapesTranslator;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;

/**
 * Grad-CAM (Selvaraju et al. 2017) by hand: {@code UserGradCam PICTURE [OUTPUT]} prints where the
 * network looks; the optional file takes the map, {@code 12×12} little-endian float32.
 */
public final class UserGradCam {
  /** The layer whose output is averaged over the picture. */
  private static final String LAYER = "08LambdaBlock";

  private UserGradCam() {}

  public static void main(String[] args) throws IOException, MalformedModelException {
    if (args.length < 1 || args.length > 2) {
      System.err.println("usage: UserGradCam PICTURE [OUTPUT]");
      System.exit(2);
    }
    try (Model model = ShapesNet.load();
        NDManager manager = NDManager.newBaseManager()) {
      NDArray pixels = ImageFactory.getInstance().fromFile(Path.of(args[0])).toNDArray(manager);
      NDArray input = ShapesTranslator.normalise(pixels).expandDims(0);
      Block layer = model.getBlock().getChildren().get(LAYER);
      NDArray map = gradCam(model.getBlock(), layer, input);
      print(map);
      if (args.length == 2) {
        Files.write(Path.of(args[1]), littleEndian(map.toFloatArray()));
      }
    }
  }

  /** The map {@code [h, w]} of the class with the largest logit, not scaled. */
  @SuppressWarnings("try") // a hook lives as long as its block of code
  private static NDArray gradCam(Block net, Block layer, NDArray input) {
    NDArray[] seen = new NDArray[2];
    ForwardHook<Block, NDList> keepActivation =
        (module, path, in, out) -> {
          seen[0] = Objects.requireNonNull(out).head().get(0);
          return null;
        };
    FullBackwardHook<Block, NDList> keepGradient =
        (module, path, gradIn, gradOut) -> {
          seen[1] = gradOut.head().get(0);
          return null;
        };
    try (HookHandle forward = Hooks.registerForwardHook(layer, keepActivation);
        HookHandle backward = Hooks.registerFullBackwardHook(layer, keepGradient);
        GradientCollector collector = Engine.getInstance().newGradientCollector()) {
      input.setRequiresGradient(true);
      NDList logits =
          net.forward(new ParameterStore(input.getManager(), false), new NDList(input), false);
      collector.backward(logits.head().max());
    }
    NDArray weights = seen[1].flatten(1, 2).mean(new int[] {1});
    return seen[0].mul(weights.reshape(-1, 1, 1)).sum(new int[] {0}).maximum(0);
  }

  private static byte[] littleEndian(float[] values) {
    ByteBuffer bytes =
        ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(values);
    return bytes.array();
  }

  private static void print(NDArray map) {
    float max = Math.max(map.max().getFloat(), Float.MIN_NORMAL);
    for (long y = 0; y < map.getShape().get(0); y++) {
      StringBuilder line = new StringBuilder();
      for (float value : map.get(y).toFloatArray()) {
        line.append(" .:-=+*#%@".charAt(Math.round(9 * value / max)));
      }
      System.out.println(line);
    }
  }
}
