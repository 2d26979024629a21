package io.camhook.cli;

import io.camhook.explain.Explainer;
import io.camhook.explain.ModelListing;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code camhook layers}: the modules of a model. */
@Command(
    name = "layers",
    description = {
      "Lists the modules of a TorchScript or ONNX model: path, type or operator, parameters.",
      "For an ONNX graph, also the modules whose values it does not contain, and why.",
      "With --input-shape it runs the model once and adds output shapes, calls and the layer that"
          + " 'auto' means."
    },
    mixinStandardHelpOptions = true,
    versionProvider = ManifestVersion.class,
    sortOptions = false,
    usageHelpAutoWidth = true)
final class LayersCommand implements Callable<Integer> {
  @Spec
  private @SuppressWarnings("NullAway.Init") CommandSpec spec;

  @Parameters(paramLabel = "MODEL", description = "TorchScript (.pt) or ONNX (.onnx) model.")
  private @SuppressWarnings("NullAway.Init") Path model;

  @Option(
      names = "--input-shape",
      paramLabel = "1x3x224x224",
      split = ",",
      description = "Shape of the input, with the batch size; one per input.")
  private List<String> shapes = new ArrayList<>();

  @Option(
      names = "--operators",
      description =
          "For TorchScript, also the operators in the code of modules, which are layers too:"
              + " layer3.0/relu#1.")
  private boolean operators;

  @Option(names = "--json", description = "As JSON.")
  private boolean json;

  @Mixin private EngineOptions engine = new EngineOptions();

  LayersCommand() {}

  @Override
  public Integer call() throws IOException {
    List<long[]> inputs = shapes.stream().map(text -> GeneratedInput.parse(spec, text)).toList();
    ModelListing read = ModelListing.read(model);
    ModelListing listing = operators ? read.withOperators() : read;
    if (inputs.isEmpty()) {
      inputs = listing.inputShapes();
    }
    if (!inputs.isEmpty()) {
      listing = Explainer.observe(listing, inputs.stream().map(GeneratedInput::values).toList());
    }
    PrintWriter out = spec.commandLine().getOut();
    out.print(json ? LayersJson.of(listing) : LayersText.of(listing));
    out.flush();
    return 0;
  }
}
