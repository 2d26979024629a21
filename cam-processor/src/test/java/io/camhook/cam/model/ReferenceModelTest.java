package io.camhook.cam.model;

import static org.assertj.core.api.Assertions.assertThat;

import io.camhook.cam.CamResult;
import io.camhook.cam.FloatMap;
import io.camhook.cam.Heatmaps;
import io.camhook.cam.LayerSample;
import io.camhook.cam.LayerTensors;
import io.camhook.cam.Maps;
import io.camhook.cam.ReferenceCase;
import io.camhook.cam.targets.ScoreTarget;
import io.camhook.cam.targets.Targets;
import io.camhook.recording.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Methods that run the model, end to end on the reference archives. */
class ReferenceModelTest {
  private static final Maps WORST = new Maps();

  @TestFactory
  List<DynamicTest> scorecam_should_be_that_of_pytorch_grad_cam() {
    return ReferenceCase.testsOrSkip(
        cases -> {
          List<DynamicTest> tests = new ArrayList<>();
          for (ReferenceCase reference : cases) {
            if (reference.has("raw/ScoreCAM")) {
              tests.add(
                  DynamicTest.dynamicTest(reference.name(), () -> compareScoreCam(reference)));
            }
          }
          return tests;
        });
  }

  private static void compareScoreCam(ReferenceCase reference) {
    try (ArchiveModel model = ArchiveModel.of(reference)) {
      for (int n = 0; n < reference.targets().size(); n++) {
        Tensor input = sample(reference.tensor("input"), n);
        LayerTensors layer = reference.layers().get(0);
        LayerTensors one = LayerTensors.of(layer.path(), sample(layer.activation(), n), null);
        ModelRun run = new ModelRun(model, input, target(reference, n), RunOptions.forInput(input));
        if (input.elements() > 100_000) {
          compareStrongestChannels(reference, run, one, n);
          continue;
        }
        CamResult result = new ScoreCam().explain(run, List.of(one), Heatmaps.standard());
        FloatMap raw = reference.map("raw/ScoreCAM", n);
        WORST.require(
            "end to end raw/ScoreCAM",
            result.raw().get(layer.path()),
            raw,
            1e-3 * Math.max(1, Maps.magnitude(raw)));
        WORST.require(
            "end to end final/ScoreCAM",
            result.heatmap(),
            reference.map("final/ScoreCAM", n),
            1e-3);
      }
    }
  }

  /** Softmax over some channels is softmax over all, divided by its sum over those. */
  private static void compareStrongestChannels(
      ReferenceCase reference, ModelRun run, LayerTensors layer, int n) {
    ModelRun few =
        new ModelRun(run.model(), run.input(), run.target(), run.options().withChannels(8));
    LayerSample sample = layer.sample(0, run.input().shape());
    double[] weights = new ScoreCam().weights(few, layer, sample);
    float[] all = reference.map("weights/ScoreCAM", n).values();
    int[] channels = StrongestChannels.of(sample, 8);
    double sum = 0;
    for (int k : channels) {
      sum += all[k];
    }
    for (int k : channels) {
      double error = Math.abs(weights[k] - all[k] / sum);
      WORST.note("end to end weights/ScoreCAM (strongest)", error);
      assertThat(error).isLessThanOrEqualTo(1e-3);
    }
  }

  /**
   * torchcam scales its masks first and resizes them with half-pixel centres, as SS-CAM and IS-CAM
   * do here: SS-CAM without noise is its Score-CAM, and so is IS-CAM of one step.
   */
  @TestFactory
  List<DynamicTest> sscam_and_iscam_should_have_the_masks_of_torchcam() {
    return ReferenceCase.testsOrSkip(
        cases ->
            cases.stream()
                .filter(one -> one.has("torchcam/ScoreCAM/raw"))
                .map(one -> DynamicTest.dynamicTest(one.name(), () -> compareMasks(one)))
                .toList());
  }

  private static void compareMasks(ReferenceCase reference) {
    try (ArchiveModel model = ArchiveModel.of(reference)) {
      Tensor input = reference.tensor("input");
      RunOptions options = RunOptions.forInput(input).withSamples(1);
      ModelRun run = new ModelRun(model, input, target(reference, 0), options);
      LayerTensors layer = reference.layers().get(0);
      FloatMap expected = reference.map("torchcam/ScoreCAM/raw", 0);
      for (ModelMethod method : List.of(new SsCam(0), new IsCam())) {
        CamResult result = method.explain(run, List.of(layer), Heatmaps.standard());
        WORST.require(
            "torchcam/ScoreCAM by " + method.id(),
            result.raw().get(layer.path()).relu(),
            expected,
            1e-3 * Math.max(1, Maps.magnitude(expected)));
      }
    }
  }

  static ScoreTarget target(ReferenceCase reference, int n) {
    int index = reference.targets().get(n);
    return switch (reference.doc().get("target_kind").asText()) {
      case "softmax" -> Targets.softmax(index);
      case "segmentation" -> Targets.segmentation(index, reference.map("mask", n).values());
      default -> Targets.logit(index);
    };
  }

  static Tensor sample(Tensor batch, int n) {
    long[] shape = batch.shape();
    int size = (int) (batch.elements() / shape[0]);
    shape[0] = 1;
    return Tensor.ofFloats(Arrays.copyOfRange(batch.toFloats(), n * size, (n + 1) * size), shape);
  }

  @AfterAll
  static void print_worst() {
    WORST.print();
  }
}
