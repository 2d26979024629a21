package io.camhook.cli;

import io.camhook.cam.CamResult;
import io.camhook.cam.Heatmaps;
import io.camhook.cam.model.RunOptions;
import io.camhook.explain.Explained;
import io.camhook.explain.ModelInput;

/**
 * How maps are computed.
 *
 * @param wanted what the user asked for
 * @param interruption stops methods that run the model again
 * @param progress is told where they are
 */
record ExplainSettings(MethodOptions wanted, Interruption interruption, Progress progress) {

  RunOptions options(ModelInput input) {
    return wanted
        .options(input.tensors().get(0))
        .withProgress(
            (method, done, total) ->
                progress.note("%s %s %d/%d".formatted(input.name(), method, done, total)))
        .withCancellation(interruption::requested);
  }

  Heatmaps pipeline() {
    return wanted.pipeline();
  }

  /** The map of a method for target {@code n}. */
  CamResult map(Explained explained, String method, int n) {
    RunOptions options = options(explained.input());
    return wanted.augSmooth()
        ? explained.augSmoothed(method, n, options, pipeline())
        : explained.map(method, n, options, pipeline());
  }
}
