package io.camhook.explain;

import static org.assertj.core.api.Assertions.assertThat;

import io.camhook.cam.CamMethods;
import io.camhook.cam.CamResult;
import io.camhook.cam.Heatmaps;
import io.camhook.cam.LayerTensors;
import io.camhook.cam.Maps;
import io.camhook.cam.ReferenceCase;
import io.camhook.cam.model.BackwardModel;
import io.camhook.cam.model.RunOptions;
import io.camhook.cam.targets.ScoreTarget;
import io.camhook.cam.targets.Targets;
import io.camhook.recording.Tensor;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** A batch in which every sample has its own class, in one pass, compared with PyTorch. */
class BatchOfTargetsTest {
  private static final Map<String, String> METHODS =
      Map.of(
          "GradCAM", "gradcam",
          "GradCAMPlusPlus", "gradcam++",
          "HiResCAM", "hirescam",
          "LayerCAM", "layercam",
          "XGradCAM", "xgradcam");

  private static final Maps WORST = new Maps();

  @TestFactory
  List<DynamicTest> heatmaps_should_be_those_of_pytorch() {
    return ReferenceCase.testsOrSkip(
        cases -> {
          List<DynamicTest> tests = new ArrayList<>();
          for (ReferenceCase one : cases) {
            if (one.tensor("input").size(0) > 1) {
              tests.add(DynamicTest.dynamicTest(one.name(), () -> compare(one)));
            }
          }
          return tests;
        });
  }

  private static void compare(ReferenceCase one) throws IOException {
    Tensor batch = one.tensor("input");
    List<ScoreTarget> targets = new ArrayList<>();
    for (int n = 0; n < one.targets().size(); n++) {
      targets.add(Targets.logit(one.targets().get(n)));
    }
    try (Explainer explainer = Explainer.load(one.archive(), one.layerNames())) {
      ModelInput first = ModelInput.of(one.name(), firstOf(batch));
      Explained explained = explainer.run(first, TargetSelection.of(targets.get(0)));
      BackwardModel model =
          (BackwardModel)
              explained.modelRun(targets.get(0), RunOptions.forInput(firstOf(batch))).model();
      List<LayerTensors> layers = model.layers(batch, targets, one.layerNames());
      for (Map.Entry<String, String> method : METHODS.entrySet()) {
        if (!one.has("final/" + method.getKey())) {
          continue;
        }
        List<CamResult> results =
            Heatmaps.standard().all(CamMethods.byId(method.getValue()), layers, batch.shape());
        assertThat(results).hasSize(targets.size());
        for (int n = 0; n < results.size(); n++) {
          WORST.require(
              one.name() + " " + method.getKey(),
              results.get(n).heatmap(),
              one.map("final/" + method.getKey(), n),
              1e-3);
        }
      }
    }
  }

  private static Tensor firstOf(Tensor batch) {
    long[] shape = batch.shape();
    int size = (int) (batch.elements() / shape[0]);
    shape[0] = 1;
    return Tensor.ofFloats(Arrays.copyOf(batch.toFloats(), size), shape);
  }

  @AfterAll
  static void print_worst() {
    WORST.print();
  }
}
