package io.camhook.cam.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import io.camhook.cam.FloatMap;
import io.camhook.cam.Maps;
import io.camhook.cam.ReferenceCase;
import io.camhook.cam.model.ArchiveModel;
import io.camhook.cam.model.ModelRun;
import io.camhook.cam.model.RunOptions;
import io.camhook.cam.targets.Targets;
import io.camhook.recording.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** The metrics of the reference data, end to end through the archives. */
class ReferenceMetricsTest {
  private static final Maps WORST = new Maps();

  @TestFactory
  List<DynamicTest> metrics_should_be_those_of_the_libraries() {
    return ReferenceCase.testsOrSkip(
        cases -> {
          List<DynamicTest> tests = new ArrayList<>();
          for (ReferenceCase reference : cases) {
            JsonNode metrics = reference.doc().path("metrics");
            for (Map.Entry<String, JsonNode> entry : metrics.properties()) {
              // torchcam's metrics explain the softmax probability with maps that are not stored.
              if (entry.getKey().startsWith("torchcam/")) {
                continue;
              }
              tests.add(
                  DynamicTest.dynamicTest(
                      reference + " " + entry.getKey(),
                      () -> compare(reference, entry.getKey(), entry.getValue())));
            }
          }
          return tests;
        });
  }

  private static void compare(ReferenceCase reference, String method, JsonNode expected) {
    try (ArchiveModel model = ArchiveModel.of(reference)) {
      Tensor input = reference.tensor("input");
      ModelRun run =
          new ModelRun(
              model,
              input,
              Targets.softmax(reference.targets().get(0)),
              RunOptions.forInput(input).withBatch(8));
      compareGradCam(run, reference.map("final/" + method, 0), expected);
      compareImputed(reference, method);
    }
  }

  private static void compareGradCam(ModelRun run, FloatMap heatmap, JsonNode expected) {
    if (expected.has("DropInConfidence")) {
      Confidence confidence = Confidence.of(run, heatmap);
      require("drop", confidence.drop(), expected.get("DropInConfidence").get(0));
      assertThat(confidence.increased() ? 1.0 : 0.0)
          .isEqualTo(expected.get("IncreaseInConfidence").get(0).asDouble());
    }
    JsonNode road = expected.path("ROAD");
    if (road.has("MoRF")) {
      Road found = Road.of(run, heatmap);
      for (int i = 0; i < found.morf().length; i++) {
        require("ROAD MoRF", found.morf()[i], road.get("MoRF").get(i).get(0));
        require("ROAD LeRF", found.lerf()[i], road.get("LeRF").get(i).get(0));
      }
      require("ROAD combined", found.combined(), road.get("combined").get(0));
    }
  }

  private static void compareImputed(ReferenceCase reference, String method) {
    for (String key : reference.keys()) {
      if (key.startsWith("road/" + method + "/")) {
        boolean most = key.contains("MoRF");
        int percentile = Integer.parseInt(key.substring(key.lastIndexOf('_') + 1));
        Tensor imputed =
            Road.imputed(
                reference.tensor("input"), reference.map("final/" + method, 0), percentile, most);
        float[] actual = imputed.toFloats();
        float[] wanted = reference.tensor(key).toFloats();
        double worst = 0;
        for (int i = 0; i < actual.length; i++) {
          worst = Math.max(worst, Math.abs(actual[i] - wanted[i]));
        }
        WORST.note("ROAD imputed pixels", worst);
        assertThat(worst).as(key).isLessThanOrEqualTo(1e-5);
      }
    }
  }

  private static void require(String kind, double actual, JsonNode expected) {
    WORST.note(kind, Math.abs(actual - expected.asDouble()));
    assertThat(actual).as(kind).isCloseTo(expected.asDouble(), within(1e-3));
  }

  @AfterAll
  static void print_worst() {
    WORST.print();
  }
}
