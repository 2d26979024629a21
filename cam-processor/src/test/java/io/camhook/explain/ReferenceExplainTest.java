package io.camhook.explain;

import static org.assertj.core.api.Assertions.assertThat;

import io.camhook.cam.CamResult;
import io.camhook.cam.Heatmaps;
import io.camhook.cam.ReferenceCase;
import io.camhook.cam.model.RunOptions;
import io.camhook.cam.targets.Labels;
import io.camhook.cam.targets.TargetChoice;
import io.camhook.recording.Tensor;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Models end to end against the maps of pytorch-grad-cam: input in, heatmap out. */
class ReferenceExplainTest {
  /** Another libtorch rounds differently; heatmaps go from 0 to 1. */
  private static final float TOLERANCE = 1e-3f;

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
          Map.entry("FullGrad", "fullgrad"));

  @TestFactory
  List<DynamicTest> heatmaps_should_be_those_of_pytorch() {
    return ReferenceCase.testsOrSkip(
        cases -> {
          List<DynamicTest> tests = new ArrayList<>();
          for (ReferenceCase one : cases) {
            if (one.tensor("input").size(0) == 1
                && one.doc().path("target_kind").asText().equals("logit")) {
              tests.add(DynamicTest.dynamicTest(one.name(), () -> compare(one)));
            }
          }
          return tests;
        });
  }

  private static void compare(ReferenceCase one) throws IOException {
    ModelInput input = ModelInput.of(one.name(), one.tensor("input"));
    TargetChoice target = TargetChoice.parse("class:" + one.targets().get(0), Labels.none());
    RunOptions options = RunOptions.forInput(input.tensors().get(0));
    try (Explainer explainer =
        Explainer.load(
            ReferenceCase.folder().resolve(one.doc().get("archive").asText()), one.layerNames())) {
      Explained explained = explainer.run(input, target);
      assertClose("logits", explained.logits().orElseThrow(), one.tensor("logits"), 1e-3f);
      for (Map.Entry<String, String> method : METHODS.entrySet()) {
        if (one.has("final/" + method.getKey()) && !isSecondOrderOfAttention(one, method)) {
          CamResult found = explained.map(method.getValue(), 0, options, Heatmaps.standard());
          assertClose(
              method.getValue(),
              found.heatmap().toTensor(),
              one.tensor("final/" + method.getKey()),
              TOLERANCE);
        }
      }
    }
  }

  /** PyTorch's fused attention has no second derivative on a CPU. */
  private static boolean isSecondOrderOfAttention(
      ReferenceCase one, Map.Entry<String, String> method) {
    return one.name().startsWith("vit") && method.getKey().equals("ShapleyCAM");
  }

  private static void assertClose(String what, Tensor found, Tensor expected, float tolerance) {
    float[] values = found.toFloats();
    float[] wanted = expected.toFloats();
    assertThat(values).as(what).hasSameSizeAs(wanted);
    float worst = 0;
    for (int i = 0; i < values.length; i++) {
      worst = Math.max(worst, Math.abs(values[i] - wanted[i]));
    }
    assertThat(worst).as(what).isLessThan(tolerance);
  }
}
