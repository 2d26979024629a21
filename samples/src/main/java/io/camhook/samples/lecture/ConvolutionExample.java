package io.camhook.samples.lecture;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.convolutional.Conv2d;
import ai.djl.nn.pooling.Pool;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import io.camhook.HookHandle;
import io.camhook.Hooks;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A picture of 4×4 ones, two kernels of 3×3 ones and twos, then 2×2 max pooling. Every window holds
 * nine ones, so the feature maps are 2×2 of 9 and of 18, and so are their maxima. Backward from the
 * sum, pooling hands its gradient to the first of the equal maxima; through the kernels 1 + 2 = 3
 * arrive at each of the nine pixels below it.
 *
 * <p>Four kinds of hook look on: forward pre, forward, full backward, tensor.
 */
public final class ConvolutionExample {
  private ConvolutionExample() {}

  @SuppressWarnings("try") // a hook lives as long as its block of code
  public static void main(String[] args) {
    Conv2d convolution =
        Conv2d.builder().setKernelShape(new Shape(3, 3)).setFilters(2).optBias(false).build();
    Block pooling = Pool.maxPool2dBlock(new Shape(2, 2), new Shape(2, 2));
    SequentialBlock net = new SequentialBlock().add(convolution).add(pooling);
    try (NDManager manager = NDManager.newBaseManager();
        GradientCollector collector = Engine.getInstance().newGradientCollector()) {
      net.initialize(manager, DataType.FLOAT32, new Shape(1, 1, 4, 4));
      convolution.getParameters().get("weight").getArray().set(onesAndTwos());
      NDArray picture = manager.ones(new Shape(1, 1, 4, 4));
      picture.setRequiresGradient(true);

      try (HookHandle pre = Hooks.registerForwardPreHook(convolution, ConvolutionExample::enter);
          HookHandle post = Hooks.registerForwardHook(convolution, ConvolutionExample::leave);
          HookHandle pooled = Hooks.registerForwardHook(pooling, ConvolutionExample::leave);
          HookHandle back =
              Hooks.registerFullBackwardHook(convolution, ConvolutionExample::backward);
          HookHandle tensor = Hooks.registerHook(picture, ConvolutionExample::gradient)) {
        NDList output = net.forward(new ParameterStore(manager, false), new NDList(picture), false);
        collector.backward(output.singletonOrThrow().sum());
      }
    }
  }

  private static @Nullable NDList enter(Block module, String path, NDList inputs) {
    print("forward pre hook of " + path + ", input", inputs.head());
    return null;
  }

  private static @Nullable NDList leave(
      Block module, String path, NDList inputs, @Nullable NDList outputs) {
    if (outputs != null) {
      print("forward hook of " + path + ", output", outputs.head());
    }
    return null;
  }

  private static @Nullable NDList backward(
      Block module, String path, NDList gradInputs, NDList gradOutputs) {
    print("full backward hook of " + path + ", gradient of the output", gradOutputs.head());
    print("full backward hook of " + path + ", gradient of the input", gradInputs.head());
    return null;
  }

  private static @Nullable NDArray gradient(NDArray gradient) {
    print("tensor hook of the picture, gradient", gradient);
    return null;
  }

  private static float[] onesAndTwos() {
    float[] weights = new float[18];
    Arrays.fill(weights, 0, 9, 1);
    Arrays.fill(weights, 9, 18, 2);
    return weights;
  }

  private static void print(String what, NDArray array) {
    System.out.println(
        what + ": " + array.getShape() + " " + Arrays.toString(array.toFloatArray()));
  }
}
