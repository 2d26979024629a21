package io.camhook.cli;

import io.camhook.cam.CamException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** Options of the commands that compute maps of a recording. */
final class ExplainOptions {
  @Option(
      names = {"-m", "--method"},
      paramLabel = "METHOD",
      split = ",",
      description = {
        "CAM method, may be repeated: cam, gradcam, gradcam++, layercam, hirescam, xgradcam,"
            + " eigencam …",
        "Default: gradcam and cam where the recording has what they need, else eigencam."
      })
  private List<String> methods = new ArrayList<>();

  @Option(
      names = {"-l", "--layer"},
      paramLabel = "LAYER",
      split = ",",
      description = "Recorded layer, path or glob, may be repeated. Default: all that fit.")
  private List<String> layers = new ArrayList<>();

  @Mixin private TextOptions text = new TextOptions();

  ExplainOptions() {}

  /** The explainer of these options; an unknown method is wrong usage. */
  CaptureExplainer explainer(CommandSpec spec) throws IOException {
    try {
      return new CaptureExplainer(
          MethodChoice.of(methods), new LayerChoice(layers), text.vocabulary());
    } catch (CamException e) {
      throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
    }
  }

  /** Whether methods were named. */
  boolean namesMethods() {
    return !methods.isEmpty();
  }
}
