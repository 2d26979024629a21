package io.camhook.explain;

import static org.assertj.core.api.Assertions.assertThat;

import io.camhook.cam.CamResult;
import io.camhook.cam.FloatMap;
import io.camhook.cam.Heatmaps;
import io.camhook.cam.Maps;
import io.camhook.cam.ReferenceCase;
import io.camhook.cam.model.RunOptions;
import io.camhook.cam.targets.Labels;
import io.camhook.cam.targets.TargetChoice;
import io.camhook.recording.Tensor;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Models end to end against the maps of pytorch-grad-cam: input in, heatmap out. */
class ReferenceExplainTest {
  /** Another libtorch rounds differently; heatmaps go from 0 to 1. */
  private static final double TOLERANCE = 1e-3;

  /** Methods that run the model once for each of 512 channels would take half a minute there. */
  private static final long LARGE_INPUT = 100_000;

  private static final Set<String> ONCE_A_CHANNEL = Set.of("ScoreCAM", "AblationCAM");

  /**
   * Eigen methods are left out: the sign of a component is arbitrary, so heatmaps may be opposite.
   */
  private static final Map<String, String> METHODS =
      Map.ofEntries(
          Map.entry("GradCAM", "gradcam"),
          Map.entry("GradCAMPlusPlus", "gradcam++"),
          Map.entry("HiResCAM", "hirescam"),
          Map.entry("GradCAMElementWise", "gradcam-elementwise"),
          Map.entry("XGradCAM", "xgradcam"),
          Map.entry("LayerCAM", "layercam"),
          Map.entry("FEM", "fem"),
          Map.entry("FinerCAM", "finercam"),
          Map.entry("ShapleyCAM", "shapleycam"),
          Map.entry("ScoreCAM", "scorecam"),
          Map.entry("AblationCAM", "ablationcam"),
          Map.entry("FullGrad", "fullgrad"));

  private static final Maps WORST = new Maps();

  @TestFactory
  List<DynamicTest> heatmaps_should_be_those_of_pytorch() {
    return ReferenceCase.testsOrSkip(
        cases ->
            cases.stream()
                .filter(one -> one.layerNames().size() > 0)
                .map(one -> DynamicTest.dynamicTest(one.name(), () -> compare(one)))
                .toList());
  }

  private static void compare(ReferenceCase one) throws IOException {
    try (Explainer explainer = Explainer.load(one.archive(), one.layerNames())) {
      for (int n = 0; n < one.targets().size(); n++) {
        ModelInput input = ModelInput.of(one.name(), sample(one.tensor("input"), n));
        Explained explained = explainer.run(input, target(one, n));
        Tensor logits = explained.logits().orElseThrow();
        assertThat(logits.toFloats())
            .usingComparatorWithPrecision(1e-3f)
            .containsExactly(sample(one.tensor("logits"), n).toFloats());
        for (String reference : methods(one)) {
          String method = METHODS.get(reference);
          RunOptions options = RunOptions.forInput(input.tensors().get(0));
          CamResult found = explained.map(method, 0, options, Heatmaps.standard());
          FloatMap expected = one.map("final/" + reference, n);
          WORST.require("end to end " + method, found.heatmap(), expected, TOLERANCE);
          String smooth = "aug_smooth/final/" + reference;
          if (one.has(smooth)) {
            FloatMap map =
                explained.augSmoothed(method, 0, options, Heatmaps.standard()).get(0).heatmap();
            WORST.require("end to end augSmooth " + method, map, one.map(smooth, n), TOLERANCE);
          }
        }
      }
    }
  }

  private static List<String> methods(ReferenceCase one) {
    List<String> methods = new ArrayList<>();
    for (String name : METHODS.keySet()) {
      boolean slow = ONCE_A_CHANNEL.contains(name) && one.tensor("input").elements() > LARGE_INPUT;
      if (one.has("final/" + name) && !slow && !lacksSecondDerivative(one, name)) {
        methods.add(name);
      }
    }
    return methods;
  }

  private static TargetSelection target(ReferenceCase one, int n) {
    String index = String.valueOf(one.targets().get(n));
    return switch (one.doc().get("target_kind").asText()) {
      case "softmax" -> TargetSelection.of(TargetChoice.parse("softmax:" + index, Labels.none()));
      case "segmentation" ->
          TargetSelection.within(
              TargetChoice.parse("class:" + index, Labels.none()), inside(one.tensor("mask")));
      default -> TargetSelection.of(TargetChoice.parse("class:" + index, Labels.none()));
    };
  }

  private static boolean[] inside(Tensor mask) {
    float[] values = mask.toFloats();
    boolean[] inside = new boolean[values.length];
    for (int i = 0; i < inside.length; i++) {
      inside[i] = values[i] > 0;
    }
    return inside;
  }

  private static Tensor sample(Tensor batch, int n) {
    long[] shape = batch.shape();
    int size = Math.toIntExact(batch.elements() / shape[0]);
    shape[0] = 1;
    return Tensor.ofFloats(Arrays.copyOfRange(batch.toFloats(), n * size, (n + 1) * size), shape);
  }

  /** PyTorch's fused attention has none on a CPU; only logits need curvature. */
  private static boolean lacksSecondDerivative(ReferenceCase one, String method) {
    boolean softmax = one.doc().get("target_kind").asText().equals("softmax");
    return method.equals("ShapleyCAM") && (one.name().startsWith("vit") || softmax);
  }

  @AfterAll
  static void print_worst() {
    WORST.print();
  }
}
