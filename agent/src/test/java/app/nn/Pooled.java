package app.nn;

import java.util.ArrayDeque;
import java.util.Deque;

/**
 * Picture [1,H,W] → two channels (x and −x, cut at 0) → global average pooling → two class scores.
 * Keeps its inputs on a stack, and counts: an unrequested backward would be noticed.
 */
public final class Pooled {
  private final Channels features = new Channels();
  private final Head head = new Head();
  private int backwards;

  public float[] forward(float[][][] picture) {
    return head.forward(features.forward(picture));
  }

  public float[][][] backward(float[] gradOutput) {
    backwards++;
    return features.backward(head.backward(gradOutput));
  }

  /** In the same way as a training loop that knows the layers. */
  public float[][][] backwardByLayers(float[] gradOutput) {
    return features.backward(head.backward(gradOutput));
  }

  /** Everything that a backward changes. */
  public String state() {
    return backwards + " " + head.gradWeight[0][0] + " " + features.inputs.size();
  }

  /** Layers, by a base class. */
  public abstract static class Part {}

  /** Two channels. */
  public static final class Channels extends Part {
    private final Deque<float[][][]> inputs = new ArrayDeque<>();

    float[][][] forward(float[][][] x) {
      inputs.push(x);
      float[][][] y = new float[2][x[0].length][x[0][0].length];
      for (int i = 0; i < y[0].length; i++) {
        for (int j = 0; j < y[0][0].length; j++) {
          y[0][i][j] = Math.max(0, x[0][i][j]);
          y[1][i][j] = Math.max(0, -x[0][i][j]);
        }
      }
      return y;
    }

    float[][][] backward(float[][][] g) {
      float[][][] x = inputs.pop();
      float[][][] dx = new float[1][x[0].length][x[0][0].length];
      for (int i = 0; i < dx[0].length; i++) {
        for (int j = 0; j < dx[0][0].length; j++) {
          dx[0][i][j] = x[0][i][j] > 0 ? g[0][i][j] : -g[1][i][j];
        }
      }
      return dx;
    }
  }

  /** Mean of each channel, times [[3, 1], [−2, 5]]. */
  public static final class Head extends Part {
    private final float[][] weight = {{3, 1}, {-2, 5}};
    private final float[][] gradWeight = new float[2][2];
    private float[] means = {};
    private int height;
    private int width;

    float[] forward(float[][][] x) {
      height = x[0].length;
      width = x[0][0].length;
      means = new float[2];
      for (int c = 0; c < 2; c++) {
        for (float[] row : x[c]) {
          for (float value : row) {
            means[c] += value / (height * width);
          }
        }
      }
      return new float[] {
        weight[0][0] * means[0] + weight[0][1] * means[1],
        weight[1][0] * means[0] + weight[1][1] * means[1]
      };
    }

    float[][][] backward(float[] g) {
      float[][][] dx = new float[2][height][width];
      for (int c = 0; c < 2; c++) {
        gradWeight[0][c] += g[0] * means[c];
        gradWeight[1][c] += g[1] * means[c];
        for (float[] row : dx[c]) {
          java.util.Arrays.fill(
              row, (g[0] * weight[0][c] + g[1] * weight[1][c]) / (height * width));
        }
      }
      return dx;
    }
  }
}
