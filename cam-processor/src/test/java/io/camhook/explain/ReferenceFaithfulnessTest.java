package io.camhook.explain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import io.camhook.cam.FloatMap;
import io.camhook.cam.Heatmaps;
import io.camhook.cam.ReferenceCase;
import io.camhook.cam.metrics.Confidence;
import io.camhook.cam.metrics.DeletionInsertion;
import io.camhook.cam.model.ModelRun;
import io.camhook.cam.model.RunOptions;
import io.camhook.cam.targets.Labels;
import io.camhook.cam.targets.TargetChoice;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * torchcam's metrics, end to end: they explain the softmax probability, so Grad-CAM is computed
 * from its gradient, ranked and measured.
 */
class ReferenceFaithfulnessTest {
  /** torchcam's epsilon in min-max scaling. */
  private static final double EPSILON = 1e-8;

  @TestFactory
  List<DynamicTest> metrics_should_be_those_of_torchcam() {
    return ReferenceCase.testsOrSkip(
        cases -> {
          List<DynamicTest> tests = new ArrayList<>();
          for (ReferenceCase one : cases) {
            for (Map.Entry<String, JsonNode> entry : one.doc().path("metrics").properties()) {
              if (entry.getKey().startsWith("torchcam/")) {
                String method = entry.getKey().substring("torchcam/".length());
                tests.add(
                    DynamicTest.dynamicTest(
                        one.name() + " " + method, () -> compare(one, method, entry.getValue())));
              }
            }
          }
          return tests;
        });
  }

  private static void compare(ReferenceCase one, String method, JsonNode expected)
      throws IOException {
    ModelInput input = ModelInput.of(one.name(), one.tensor("input"));
    RunOptions options = RunOptions.forInput(input.tensors().get(0)).withBatch(8);
    TargetChoice target = TargetChoice.parse("softmax:" + one.targets().get(0), Labels.none());
    try (Explainer explainer = Explainer.load(one.archive(), one.layerNames())) {
      Explained explained = explainer.run(input, target);
      ModelRun run = explained.modelRun(explained.targets().get(0), options);
      String id = method.toLowerCase(Locale.ROOT);
      FloatMap raw =
          explained.map(id, 0, options, Heatmaps.standard()).raw().get(one.layerNames().get(0));
      FloatMap heat = Heatmaps.resize(raw.relu().scaled(EPSILON), run.spatial());

      JsonNode areas = expected.get("DeletionInsertionMetric");
      DeletionInsertion found = DeletionInsertion.of(run, heat);
      for (int i = 0; i < found.fractions().length; i++) {
        close("fraction", found.fractions()[i], areas.get("fractions").get(i), 1e-6);
        close("deletion", found.deletion()[i], areas.get("deletion").get(0).get(i), 1e-3);
        close("insertion", found.insertion()[i], areas.get("insertion").get(0).get(i), 1e-3);
      }
      close("deletion area", found.deletionAuc(), areas.get("deletion_auc"), 1e-3);
      close("insertion area", found.insertionAuc(), areas.get("insertion_auc"), 1e-3);

      JsonNode classification = expected.get("ClassificationMetric");
      Confidence confidence = Confidence.of(run, heat);
      close("average drop", confidence.relativeDrop(), classification.get("avg_drop"), 1e-3);
      close("increase", confidence.increased() ? 1 : 0, classification.get("conf_increase"), 0.5);
    }
  }

  private static void close(String what, double found, JsonNode expected, double tolerance) {
    assertThat(found).as(what).isCloseTo(expected.asDouble(), within(tolerance));
  }
}
