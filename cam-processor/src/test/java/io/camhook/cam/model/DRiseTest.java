package io.camhook.cam.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.camhook.cam.CamResult;
import io.camhook.cam.Heatmaps;
import io.camhook.cam.targets.Boxes;
import io.camhook.cam.targets.Detection;
import io.camhook.cam.targets.ScoreTarget;
import io.camhook.recording.Tensor;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class DRiseTest {
  private static final int SIDE = 32;

  /**
   * A white picture, in which the confidence of two boxes is the brightness of their corner of the
   * picture.
   */
  private static final class TwoCorners implements ForwardModel {
    @Override
    public Tensor outputs(Tensor input) {
      throw new UnsupportedOperationException();
    }

    @Override
    public Tensor outputsFrom(String path, Tensor activation, Tensor input) {
      throw new UnsupportedOperationException();
    }

    @Override
    public List<List<Detection>> detections(Tensor batch) {
      float[] values = batch.toFloats();
      List<List<Detection>> all = new ArrayList<>();
      for (int n = 0; n < batch.size(0); n++) {
        float[] columns = {4, 4, 8, 8, 0, 1, 0, 28, 28, 8, 8, 0, 0, 1};
        columns[4] = brightness(values, n, 0);
        columns[11] = brightness(values, n, 24);
        Boxes boxes = new Boxes(Boxes.Format.V5, 2, 7, false);
        all.add(boxes.all(columns));
      }
      return all;
    }

    private static float brightness(float[] values, int sample, int from) {
      float sum = 0;
      for (int y = from; y < from + 8; y++) {
        for (int x = from; x < from + 8; x++) {
          sum += values[sample * SIDE * SIDE + y * SIDE + x] / 64;
        }
      }
      return sum;
    }
  }

  /**
   * The two boxes do not overlap and share no class, so a mask counts by the brightness s of the
   * wanted box alone, and the map is E[s M] / p: where s and M have nothing to do with each other
   * E[s] = 1/2, inside the box more by cov(s, M) / p, which is 0.5 / 25 where s is the mean of
   * about 25 cells.
   */
  @Test
  void map_should_be_high_where_the_box_is() {
    float[] map = map(0);
    assertThat(mean(map, 0)).isGreaterThan(0.515);
    assertThat(mean(map, 24)).isCloseTo(0.5, within(0.01));
    assertThat(mean(map, 12)).isCloseTo(0.5, within(0.01));
    assertThat(mean(map(1), 24)).isGreaterThan(0.515);
  }

  private static float[] map(int box) {
    float[] white = new float[SIDE * SIDE];
    java.util.Arrays.fill(white, 1);
    Tensor input = Tensor.ofFloats(white, 1, 1, SIDE, SIDE);
    Boxes boxes = new Boxes(Boxes.Format.V5, 2, 7, false);
    ScoreTarget target = boxes.box(new float[14], box);
    ModelRun run =
        new ModelRun(new TwoCorners(), input, target, RunOptions.forInput(input).withSamples(4000));
    CamResult result = new DRise().explain(run, List.of(), Heatmaps.standard());
    return result.raw().get("input").values();
  }

  private static double mean(float[] map, int from) {
    double sum = 0;
    for (int y = from; y < from + 8; y++) {
      for (int x = from; x < from + 8; x++) {
        sum += map[y * SIDE + x] / 64;
      }
    }
    return sum;
  }
}
