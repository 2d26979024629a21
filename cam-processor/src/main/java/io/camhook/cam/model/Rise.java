package io.camhook.cam.model;

import io.camhook.cam.CamException;
import io.camhook.cam.FloatMap;
import io.camhook.cam.Heatmaps;
import io.camhook.cam.LayerTensors;
import io.camhook.render.Bilinear;
import java.util.List;
import java.util.SplittableRandom;

/**
 * RISE: {@code raw = sum_n s(input * M_n) M_n / (N p)} over N random masks: a grid of 7 x 7 cells,
 * each on with probability p = 1/2, enlarged bilinearly by one cell more than the input and cropped
 * at random. N is 2000. For pictures {@code [1,C,H,W]}. Use a softmax target: the paper's scores
 * are probabilities.
 *
 * <p>Petsiuk et al., "RISE: Randomized Input Sampling for Explanation of Black-box Models", BMVC
 * 2018. Neither library has it.
 */
final class Rise extends InputMethod {
  private static final int CELLS = 7;
  static final double PROBABILITY = 0.5;

  private static final int MASKS = 2000;

  @Override
  public String id() {
    return "rise";
  }

  @Override
  public String title() {
    return "RISE";
  }

  @Override
  FloatMap raw(ModelRun run, List<LayerTensors> layers, Heatmaps pipeline) {
    int[] size = run.spatial();
    if (size.length != 2) {
      throw new CamException(
          "rise masks pictures, the input has %d spatial dimensions; use occlusion"
              .formatted(size.length));
    }
    int masks = run.options().samplesOr(MASKS);
    float[] input = run.numbers(id());
    long seed = run.options().seed();
    double[] scores =
        run.scoresOfInputs(
            id(),
            masks,
            (i, batch, offset) ->
                ChannelMasks.multiply(input, mask(seed + i, size, CELLS), 1, batch, offset));
    double[] sum = new double[positions(size)];
    for (int n = 0; n < masks; n++) {
      // Generated again rather than kept: all of them would not fit into memory.
      float[] mask = mask(seed + n, size, CELLS);
      for (int p = 0; p < sum.length; p++) {
        sum[p] += scores[n] * mask[p];
      }
    }
    float[] raw = new float[sum.length];
    for (int p = 0; p < raw.length; p++) {
      raw[p] = (float) (sum[p] / (masks * PROBABILITY));
    }
    return FloatMap.of(raw, size);
  }

  /** A mask for a picture of that size, from a grid of {@code count} x {@code count} cells. */
  static float[] mask(long seed, int[] size, int count) {
    // Not java.util.Random, whose first numbers are nearly the same for consecutive seeds.
    SplittableRandom random = new SplittableRandom(seed);
    float[] cells = new float[count * count];
    for (int i = 0; i < cells.length; i++) {
      cells[i] = random.nextDouble() < PROBABILITY ? 1 : 0;
    }
    int cellHeight = (size[0] + count - 1) / count;
    int cellWidth = (size[1] + count - 1) / count;
    int[] large = {(count + 1) * cellHeight, (count + 1) * cellWidth};
    float[] enlarged = Bilinear.resize(cells, new int[] {count, count}, large);
    int top = random.nextInt(cellHeight);
    int left = random.nextInt(cellWidth);
    float[] mask = new float[size[0] * size[1]];
    for (int y = 0; y < size[0]; y++) {
      System.arraycopy(enlarged, (top + y) * large[1] + left, mask, y * size[1], size[1]);
    }
    return mask;
  }
}
