package io.camhook.cli;

import io.camhook.cam.CamResult;
import io.camhook.cam.Heatmaps;
import io.camhook.cam.model.RunOptions;
import io.camhook.explain.Explained;
import io.camhook.explain.ModelInput;
import java.util.List;

/**
 * How maps are computed.
 *
 * @param wanted what the user asked for
 * @param interruption stops methods that run the model again
 * @param progress is told where they are
 */
record ExplainSettings(MethodOptions wanted, Interruption interruption, Progress progress) {

  RunOptions options(Explained explained) {
    ModelInput input = explained.input();
    return wanted
        .options(explained.explainedInput())
        .withProgress(
            (method, done, total) ->
                progress.note("%s %s %d/%d".formatted(input.name(), method, done, total)))
        .withCancellation(interruption::requested);
  }

  Heatmaps pipeline() {
    return wanted.pipeline();
  }

  /** The map of a method for target {@code n}, of the first call of its layers. */
  CamResult map(Explained explained, String method, int n) {
    return maps(explained, method, n).get(0);
  }

  /** The same of every call. */
  List<CamResult> maps(Explained explained, String method, int n) {
    RunOptions options = options(explained);
    return wanted.augSmooth()
        ? explained.augSmoothed(method, n, options, pipeline())
        : explained.maps(method, n, options, pipeline());
  }
}
