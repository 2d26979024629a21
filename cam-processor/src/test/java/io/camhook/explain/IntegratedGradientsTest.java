package io.camhook.explain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.camhook.cam.FloatMap;
import io.camhook.cam.Heatmaps;
import io.camhook.cam.ReferenceCase;
import io.camhook.cam.model.ModelRun;
import io.camhook.cam.model.RunOptions;
import io.camhook.cam.targets.Labels;
import io.camhook.cam.targets.TargetChoice;
import io.camhook.recording.Tensor;
import java.io.IOException;
import org.junit.jupiter.api.Test;

/** The completeness of integrated gradients on a trained network. */
class IntegratedGradientsTest {

  @Test
  void integrated_gradients_should_add_up_to_the_difference_of_the_scores() throws IOException {
    ReferenceCase one = ReferenceCase.named("gap_linear_cam");
    Tensor input = one.tensor("input");
    RunOptions options = RunOptions.forInput(input).withSamples(400);
    try (Explainer explainer = explainer(one)) {
      Explained explained = explainer.run(ModelInput.of(one.name(), input), target(one));
      ModelRun run = explained.modelRun(explained.targets().get(0), options);
      Tensor black = Tensor.ofFloats(new float[(int) input.elements()], input.shape());
      double difference = run.score() - run.target().score(run.model().outputs(black).toFloats());
      FloatMap raw =
          explained.map("integrated-gradients", 0, options, Heatmaps.standard()).raw().get("input");
      double sum = 0;
      for (float v : raw.values()) {
        sum += v;
      }
      // A network of ReLUs is piecewise linear: the midpoint rule errs only in the steps where one
      // of
      // them switches, by part of its jump. 400 steps; 50, which is usual, err by several percent.
      assertThat(sum).isCloseTo(difference, within(0.01 * Math.abs(difference)));
    }
  }

  private static Explainer explainer(ReferenceCase one) throws IOException {
    return Explainer.load(one.archive(), one.layerNames());
  }

  private static TargetChoice target(ReferenceCase one) {
    return TargetChoice.parse("class:" + one.targets().get(0), Labels.none());
  }
}
