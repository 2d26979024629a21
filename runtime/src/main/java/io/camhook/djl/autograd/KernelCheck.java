package io.camhook.djl.autograd;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.convolutional.Conv2d;
import io.camhook.dispatch.EventLog;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * Checks whether the engine's convolutions are correct on this processor. The oneDNN in PyTorch
 * 2.7.1 has kernels that compute wrong numbers on some processors; the application's answers and
 * the heatmaps are then wrong, with or without camhook. The check convolves small integers, forward
 * and backward, and compares the results with exact integer arithmetic.
 */
public final class KernelCheck {
  /**
   * An error above this share of the largest value is wrong; rounding errors are about a millionth.
   */
  private static final float TOLERANCE = 1e-3f;

  private static final AtomicBoolean STARTED = new AtomicBoolean();

  /**
   * Batches, channels and sizes for which oneDNN uses different kernels. Padding keeps the size.
   */
  private static final List<Sizes> SIZES =
      List.of(
          new Sizes(1, 3, 16, 3, 16),
          new Sizes(1, 16, 32, 3, 7),
          new Sizes(8, 16, 16, 3, 7),
          new Sizes(4, 48, 12, 3, 8),
          new Sizes(8, 16, 32, 1, 7));

  private static final long STOP_MILLIS = 2000;

  private static volatile @Nullable Thread running;
  private static volatile boolean stopped;

  record Sizes(int batch, int channels, int outputs, int kernel, int side) {}

  /** The convolution to check: the engine's, or a wrong one in tests. */
  interface Convolution {
    /**
     * @param input {@code [N,C,H,H]}
     * @param weight {@code [O,C,K,K]}
     * @return the convolution {@code [N,O,H,H]}, and the gradient of its sum at the input
     */
    Result of(Sizes sizes, float[] input, float[] weight);
  }

  record Result(float[] output, float[] gradient) {}

  private KernelCheck() {}

  /** Runs once per process, on its own thread, and logs a warning if a convolution is wrong. */
  public static void start(EventLog log) {
    if (!STARTED.compareAndSet(false, true)) {
      return;
    }
    Thread thread =
        new Thread(
            () -> {
              try {
                run(KernelCheck::byEngine, log);
              } catch (Throwable e) {
                if (!stopped) {
                  log.failure("the engine's convolutions could not be checked", e);
                }
              }
            },
            "camhook-kernel-check");
    thread.setDaemon(true);
    thread.setContextClassLoader(null);
    running = thread;
    thread.start();
  }

  /** Waits for a running check, because the objects it uses are about to be released. */
  public static void stop() {
    stopped = true;
    Thread thread = running;
    if (thread == null || thread == Thread.currentThread()) {
      return;
    }
    try {
      thread.join(STOP_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Warns about the first wrong convolution. */
  static void run(Convolution engine, EventLog log) {
    for (Sizes sizes : SIZES) {
      if (stopped) {
        return;
      }
      float[] input = integers(sizes.batch * sizes.channels * sizes.side * sizes.side, 7);
      float[] weight = integers(sizes.outputs * sizes.channels * sizes.kernel * sizes.kernel, 11);
      Result expected = exact(sizes, input, weight);
      Result found = engine.of(sizes, input, weight);
      boolean forward = isWrong(expected.output, found.output);
      if (forward || isWrong(expected.gradient, found.gradient)) {
        log.warn(
            "the engine computes wrong %s of convolutions on this processor (%s), with camhook and without: its oneDNN has kernels that are broken here; set the environment variable ONEDNN_MAX_CPU_ISA=AVX (or SSE41) for the application, see docs/kernels.md"
                .formatted(forward ? "results" : "gradients", sizes));
        return;
      }
    }
  }

  /** From −2 to 2. */
  private static float[] integers(int n, int step) {
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      values[i] = (i * step + i / 5) % 5 - 2;
    }
    return values;
  }

  private static boolean isWrong(float[] expected, float[] found) {
    float largest = 1;
    for (float value : expected) {
      largest = Math.max(largest, Math.abs(value));
    }
    for (int i = 0; i < expected.length; i++) {
      if (!(Math.abs(expected[i] - found[i]) <= TOLERANCE * largest)) { // NaN is wrong too
        return true;
      }
    }
    return false;
  }

  static Result exact(Sizes s, float[] input, float[] weight) {
    float[] output = new float[s.batch * s.outputs * s.side * s.side];
    float[] gradient = new float[input.length];
    int pad = s.kernel / 2;
    for (int n = 0; n < s.batch; n++) {
      for (int o = 0; o < s.outputs; o++) {
        for (int c = 0; c < s.channels; c++) {
          for (int u = 0; u < s.kernel; u++) {
            for (int v = 0; v < s.kernel; v++) {
              float w = weight[((o * s.channels + c) * s.kernel + u) * s.kernel + v];
              for (int y = Math.max(0, pad - u); y < Math.min(s.side, s.side + pad - u); y++) {
                int from = ((n * s.channels + c) * s.side + y + u - pad) * s.side + v - pad;
                int to = ((n * s.outputs + o) * s.side + y) * s.side;
                for (int x = Math.max(0, pad - v); x < Math.min(s.side, s.side + pad - v); x++) {
                  output[to + x] += input[from + x] * w;
                  gradient[from + x] += w;
                }
              }
            }
          }
        }
      }
    }
    return new Result(output, gradient);
  }

  private static Result byEngine(Sizes s, float[] input, float[] weight) {
    try (NDManager manager = Engine.getEngine("PyTorch").newBaseManager();
        GradMode mode = new GradMode(true)) {
      NDArray x = manager.create(input, new Shape(s.batch, s.channels, s.side, s.side));
      x.setRequiresGradient(true);
      NDArray w = manager.create(weight, new Shape(s.outputs, s.channels, s.kernel, s.kernel));
      int pad = s.kernel / 2;
      NDArray y =
          Conv2d.conv2d(x, w, null, new Shape(1, 1), new Shape(pad, pad), new Shape(1, 1), 1)
              .singletonOrThrow();
      NDArray ones = manager.ones(y.getShape());
      NDArray gradient =
          Objects.requireNonNull(
              AutogradGateway.instance()
                  .grad(manager, List.of(y), List.of(x), List.of(ones), false)
                  .get(0));
      return new Result(Tensors.toTensor(y).toFloats(), Tensors.toTensor(gradient).toFloats());
    }
  }
}
