package io.camhook.samples.lecture;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.training.GradientCollector;
import io.camhook.HookHandle;
import io.camhook.Hooks;

/**
 * The gradients inside {@code y = (x + w)(w + 1)} at x = 2, w = 1. With a = x + w = 3 and b = w + 1
 * = 2 the chain rule gives dy/da = b = 2, dy/db = a = 3, and dy/dw = dy/da + dy/db = 5. The engine
 * does not keep the gradients of a and b; tensor hooks see them and may change them: with dy/da
 * doubled, dy/dw becomes 4 + 3 = 7.
 */
public final class GradientExample {
  private GradientExample() {}

  public static void main(String[] args) {
    System.out.println("hooks that look on:");
    System.out.println("dy/dw = " + gradientOfW(1));
    System.out.println("a hook that doubles the gradient of a:");
    System.out.println("dy/dw = " + gradientOfW(2));
  }

  @SuppressWarnings("try") // a hook lives as long as its block of code
  private static float gradientOfW(float factor) {
    try (NDManager manager = NDManager.newBaseManager();
        GradientCollector collector = Engine.getInstance().newGradientCollector()) {
      NDArray x = manager.create(2f);
      NDArray w = manager.create(1f);
      w.setRequiresGradient(true);

      NDArray a = x.add(w);
      NDArray b = w.add(1);
      NDArray y = a.mul(b);
      try (HookHandle onA = Hooks.registerHook(a, (NDArray g) -> times(g, factor));
          HookHandle seesA = watch("a", a);
          HookHandle seesB = watch("b", b);
          HookHandle seesY = watch("y", y)) {
        collector.backward(y);
      }
      return w.getGradient().getFloat();
    }
  }

  private static NDArray times(NDArray gradient, float factor) {
    return gradient.mul(factor);
  }

  private static HookHandle watch(String name, NDArray array) {
    return Hooks.registerHook(
        array,
        (NDArray gradient) -> {
          System.out.println("dy/d" + name + " = " + gradient.getFloat());
          return null;
        });
  }
}
