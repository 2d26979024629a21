package io.camhook.cli;

import io.camhook.cam.CamException;
import io.camhook.cam.Layout;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
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
      description =
          "CAM method, may be repeated: cam, gradcam, gradcam++, layercam, hirescam, xgradcam,"
              + " eigencam … Default: gradcam and cam if the recording has the data they need, else"
              + " eigencam.")
  private List<String> methods = new ArrayList<>();

  @Option(
      names = {"-l", "--layer"},
      paramLabel = "LAYER",
      split = ",",
      description = "Recorded layer (path or glob), may be repeated. Default: all suitable layers.")
  private List<String> layers = new ArrayList<>();

  @Option(
      names = "--reshape",
      paramLabel = "LAYOUT",
      description =
          "Layout of the layers' outputs, if it is not detected: tokens:14x14+1 (rows x columns +"
              + " leading tokens to drop), channels-last or channels-first.")
  private @Nullable String reshape;

  @Mixin private TextOptions text = new TextOptions();

  ExplainOptions() {}

  /** The explainer of these options; an unknown method is wrong usage. */
  CaptureExplainer explainer(CommandSpec spec) throws IOException {
    try {
      return new CaptureExplainer(
          MethodChoice.of(methods),
          new LayerChoice(layers),
          new RecordedLayouts(reshape == null ? null : Layout.parse(reshape), Map.of()),
          text.vocabulary());
    } catch (CamException e) {
      throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
    }
  }

  /** These options in words, to record what a result was made with. */
  String asked() {
    return "methods %s, layers %s".formatted(methods, layers);
  }

  /** Whether methods were named. */
  boolean namesMethods() {
    return !methods.isEmpty();
  }
}
