package io.camhook.cam.model;

import io.camhook.cam.CamException;
import io.camhook.cam.FloatMap;
import io.camhook.cam.Heatmaps;
import io.camhook.cam.LayerTensors;
import io.camhook.cam.targets.BoxTarget;
import io.camhook.cam.targets.Boxes;
import io.camhook.cam.targets.Detection;
import io.camhook.recording.Tensor;
import java.util.List;

/**
 * D-RISE: RISE with the following score of a masked picture: {@code max_j IoU(t, d_j) · cos(P_t,
 * P_j) · O_j} over the boxes d_j that the detector finds in it. It measures how well the detector
 * still finds box t, with class probabilities P. O is the objectness, or the largest class
 * probability if the detector has no objectness. 5000 masks of 16 x 16 cells. Box t is the one that
 * the target names, otherwise the most confident one.
 *
 * <p>Petsiuk et al., "Black-box Explanation of Object Detectors via Saliency Maps", CVPR 2021.
 */
final class DRise extends InputMethod {
  private static final int CELLS = 16;
  private static final int MASKS = 5000;

  @Override
  public String id() {
    return "drise";
  }

  @Override
  public String title() {
    return "D-RISE";
  }

  @Override
  FloatMap raw(ModelRun run, List<LayerTensors> layers, Heatmaps pipeline) {
    int[] size = run.spatial();
    if (size.length != 2) {
      throw new CamException(
          "drise masks pictures, the input has %d spatial dimensions".formatted(size.length));
    }
    List<Detection> found = run.model().detections(run.input()).get(0);
    Detection wanted =
        run.target() instanceof BoxTarget box
            ? box.among(found)
            : Boxes.best(found, 1).stream()
                .findFirst()
                .orElseThrow(() -> new CamException("drise: the detector finds no box"));
    int masks = run.options().samplesOr(MASKS);
    float[] input = run.numbers(id());
    long seed = run.options().seed();
    double[] sum = new double[positions(size)];
    for (int from = 0; from < masks; from += run.options().batch()) {
      run.requireNotCancelled(id());
      int n = Math.min(run.options().batch(), masks - from);
      float[] batch = new float[n * input.length];
      for (int i = 0; i < n; i++) {
        ChannelMasks.multiply(
            input, Rise.mask(seed + from + i, size, CELLS), 1, batch, i * input.length);
      }
      long[] shape = run.input().shape();
      shape[0] = n;
      List<List<Detection>> seen = run.model().detections(Tensor.ofFloats(batch, shape));
      for (int i = 0; i < n; i++) {
        double score = 0;
        for (Detection each : seen.get(i)) {
          score = Math.max(score, wanted.overlap(each) * wanted.likeness(each) * each.objectness());
        }
        float[] mask = Rise.mask(seed + from + i, size, CELLS);
        for (int p = 0; p < sum.length; p++) {
          sum[p] += score * mask[p];
        }
      }
      run.options().progress().at(id(), from + n, masks);
    }
    float[] raw = new float[sum.length];
    for (int p = 0; p < raw.length; p++) {
      raw[p] = (float) (sum[p] / (masks * Rise.PROBABILITY));
    }
    return FloatMap.of(raw, size);
  }
}
