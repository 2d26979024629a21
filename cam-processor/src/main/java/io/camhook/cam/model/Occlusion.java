package io.camhook.cam.model;

import io.camhook.cam.FloatMap;
import io.camhook.cam.Heatmaps;
import io.camhook.cam.LayerTensors;
import java.util.ArrayList;
import java.util.List;

/**
 * Occlusion: a window of an eighth of the input slides by half its size and sets what it covers to
 * 0 (the mean colour of a normalised picture); {@code raw} of a position is the mean over the
 * windows that cover it of {@code s - s_window}. For signals, pictures and volumes. For token ids,
 * each token in turn is replaced by the padding token: {@code raw} is the drop of the score, one
 * value per token.
 *
 * <p>Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks", ECCV 2014. Neither
 * library has it.
 */
final class Occlusion extends InputMethod {
  private static final int WINDOWS_PER_AXIS = 8;

  @Override
  public String id() {
    return "occlusion";
  }

  @Override
  public String title() {
    return "Occlusion";
  }

  @Override
  FloatMap raw(ModelRun run, List<LayerTensors> layers, Heatmaps pipeline) {
    if (run.model().takesIntegers()) {
      return tokens(run);
    }
    int[] size = run.spatial();
    List<boolean[]> windows = windows(size);
    float[] input = run.input().toFloats();
    double score = run.score();
    double[] scores =
        run.scoresOfInputs(
            id(),
            windows.size(),
            (i, batch, offset) -> {
              boolean[] window = windows.get(i);
              for (int p = 0; p < input.length; p++) {
                batch[offset + p] = window[p % window.length] ? 0 : input[p];
              }
            });
    float[] drop = new float[positions(size)];
    int[] covered = new int[drop.length];
    for (int w = 0; w < scores.length; w++) {
      boolean[] window = windows.get(w);
      for (int p = 0; p < drop.length; p++) {
        if (window[p]) {
          drop[p] += (float) (score - scores[w]);
          covered[p]++;
        }
      }
    }
    for (int p = 0; p < drop.length; p++) {
      drop[p] /= covered[p];
    }
    return FloatMap.of(drop, size);
  }

  /** For each token, how much the score drops when the padding token replaces it. */
  private FloatMap tokens(ModelRun run) {
    float pad = run.absent(id());
    float[] input = run.input().toFloats();
    double score = run.score();
    double[] scores =
        run.scoresOfInputs(
            id(),
            input.length,
            (i, batch, offset) -> {
              System.arraycopy(input, 0, batch, offset, input.length);
              batch[offset + i] = pad;
            });
    float[] drop = new float[input.length];
    for (int i = 0; i < drop.length; i++) {
      drop[i] = (float) (score - scores[i]);
    }
    return FloatMap.of(drop, run.spatial());
  }

  /** Windows that together cover every position, the last of an axis flush with its end. */
  static List<boolean[]> windows(int[] size) {
    List<boolean[]> windows = new ArrayList<>();
    add(size, new int[size.length], 0, windows);
    return windows;
  }

  private static void add(int[] size, int[] from, int axis, List<boolean[]> windows) {
    if (axis == size.length) {
      windows.add(window(size, from));
      return;
    }
    int length = length(size[axis]);
    int stride = Math.max(1, length / 2);
    for (int at = 0; ; at += stride) {
      from[axis] = Math.min(at, size[axis] - length);
      add(size, from, axis + 1, windows);
      if (at + length >= size[axis]) {
        return;
      }
    }
  }

  private static boolean[] window(int[] size, int[] from) {
    boolean[] window = new boolean[positions(size)];
    for (int p = 0; p < window.length; p++) {
      int rest = p;
      boolean inside = true;
      for (int axis = size.length - 1; axis >= 0; axis--) {
        int at = rest % size[axis];
        rest /= size[axis];
        inside &= at >= from[axis] && at < from[axis] + length(size[axis]);
      }
      window[p] = inside;
    }
    return window;
  }

  private static int length(int size) {
    return Math.max(1, (size + WINDOWS_PER_AXIS - 1) / WINDOWS_PER_AXIS);
  }
}
