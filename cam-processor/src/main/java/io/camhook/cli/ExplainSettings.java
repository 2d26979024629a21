package io.camhook.cli;

import io.camhook.cam.CamResult;
import io.camhook.cam.Heatmaps;
import io.camhook.cam.model.RunOptions;
import io.camhook.explain.Explained;
import io.camhook.explain.ModelInput;
import io.camhook.explain.Vocabulary;
import java.util.List;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * How maps are computed.
 *
 * @param wanted what the user asked for
 * @param interruption stops methods that run the model again
 * @param progress receives their progress
 * @param vocabulary the words of token ids; null without a tokenizer
 */
record ExplainSettings(
    MethodOptions wanted,
    Interruption interruption,
    Progress progress,
    @Nullable Vocabulary vocabulary) {

  RunOptions options(Explained explained) {
    ModelInput input = explained.input();
    OptionalLong padding = vocabulary == null ? OptionalLong.empty() : vocabulary.padding();
    return wanted
        .options(explained.explainedInput(), padding)
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

  /** The same for every call. */
  List<CamResult> maps(Explained explained, String method, int n) {
    RunOptions options = options(explained);
    return wanted.augSmooth()
        ? explained.augSmoothed(method, n, options, pipeline())
        : explained.maps(method, n, options, pipeline());
  }
}
