package app;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.core.Linear;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import io.camhook.HookHandle;
import io.camhook.Hooks;
import io.camhook.djl.BlockHooks;
import java.util.Arrays;

/**
 * An application that hooks a layer itself. With {@code -Dapp.typed=true} through the methods with
 * DJL's types.
 */
public final class HookFromCode {
  private HookFromCode() {}

  public static void main(String[] args) {
    System.out.println("loader " + NDArray.class.getClassLoader().getClass().getSimpleName());
    try (NDManager manager = NDManager.newBaseManager()) {
      Block layer = Linear.builder().setUnits(2).build();
      layer.initialize(manager, DataType.FLOAT32, new Shape(1, 2));
      layer.getDirectParameters().get("weight").getArray().set(new float[] {1, 2, 3, 4});
      layer.getDirectParameters().get("bias").getArray().set(new float[] {0.5f, -0.5f});
      try (HookHandle forward = forward(layer);
          HookHandle backward = backward(layer)) {
        pass(layer, manager);
      }
      System.out.println("removed");
      pass(layer, manager);
    } catch (IllegalStateException e) {
      System.out.println(e.getMessage());
    }
  }

  private static HookHandle forward(Block layer) {
    return Boolean.getBoolean("app.typed")
        ? BlockHooks.registerForwardHook(layer, (block, path, in, out) -> print("forward", out))
        : Hooks.registerForwardHook(
            layer, (Block block, String path, NDList in, NDList out) -> print("forward", out));
  }

  private static HookHandle backward(Block layer) {
    return Boolean.getBoolean("app.typed")
        ? BlockHooks.registerFullBackwardHook(
            layer, (block, path, in, out) -> print("backward", in))
        : Hooks.registerFullBackwardHook(
            layer, (Block block, String path, NDList in, NDList out) -> print("backward", in));
  }

  private static NDList print(String what, NDList list) {
    System.out.println(what + " " + Arrays.toString(list.head().toFloatArray()));
    return null;
  }

  private static void pass(Block layer, NDManager manager) {
    NDArray x = manager.create(new float[] {1, -1}, new Shape(1, 2));
    x.setRequiresGradient(true);
    try (GradientCollector collector = Engine.getInstance().newGradientCollector()) {
      NDList y = layer.forward(new ParameterStore(manager, false), new NDList(x), false);
      collector.backward(y.head().sum());
    }
    System.out.println("gradient " + Arrays.toString(x.getGradient().toFloatArray()));
  }
}
