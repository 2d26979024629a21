package io.camhook.cli;

import io.camhook.cam.Heatmaps;
import io.camhook.cam.model.RunOptions;
import io.camhook.explain.ModelInput;
import org.jspecify.annotations.Nullable;

/**
 * How maps are computed.
 *
 * @param batch inputs per run of methods that run the model again; null: by the input's size
 * @param channels number of strongest channels that such methods take; 0: all
 * @param eigenSmooth whether to smooth by the first principal component
 * @param interruption stops such methods
 * @param progress is told where they are
 */
record ExplainSettings(
    @Nullable Integer batch,
    int channels,
    boolean eigenSmooth,
    Interruption interruption,
    Progress progress) {

  RunOptions options(ModelInput input) {
    RunOptions options =
        RunOptions.forInput(input.tensors().get(0))
            .withChannels(channels)
            .withProgress(
                (method, done, total) ->
                    progress.note("%s %s %d/%d".formatted(input.name(), method, done, total)))
            .withCancellation(interruption::requested);
    return batch == null ? options : options.withBatch(batch);
  }

  Heatmaps pipeline() {
    return Heatmaps.standard().withEigenSmooth(eigenSmooth);
  }
}
