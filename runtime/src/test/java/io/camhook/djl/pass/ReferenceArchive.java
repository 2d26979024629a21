package io.camhook.djl.pass;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.djl.ndarray.NDArray;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.IValue;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.camhook.naming.ModuleDescription;
import io.camhook.recording.Safetensors;
import io.camhook.recording.Tensor;
import io.camhook.torchscript.TorchScriptArchive;
import io.camhook.torchscript.twin.InstrumentedArchive;
import io.camhook.torchscript.twin.TapPlan.Label;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;

/** A reference archive with what PyTorch 2.13 saw in the model it was made of. */
record ReferenceArchive(
    Path file, String name, JsonNode facts, JsonNode form, Safetensors tensors) {
  static final Path FOLDER = Path.of(System.getProperty("camhook.reference", ""), "torchscript");
  private static final ObjectMapper JSON = new ObjectMapper();

  /** Names of all archives with module paths. */
  static List<String> names() throws IOException {
    assumeTrue(Files.isDirectory(FOLDER), "no reference data in " + FOLDER);
    try (Stream<Path> files = Files.list(FOLDER)) {
      return files
          .map(file -> file.getFileName().toString())
          .filter(file -> file.endsWith(".pt"))
          .map(file -> file.substring(0, file.length() - 3))
          .filter(name -> !isFlat(name))
          .sorted()
          .toList();
    }
  }

  /** Names of all archives that call no modules. */
  static List<String> flat() throws IOException {
    assumeTrue(Files.isDirectory(FOLDER), "no reference data in " + FOLDER);
    try (Stream<Path> files = Files.list(FOLDER)) {
      return files
          .map(file -> file.getFileName().toString())
          .filter(file -> file.endsWith(".pt"))
          .map(file -> file.substring(0, file.length() - 3))
          .filter(ReferenceArchive::isFlat)
          .sorted()
          .toList();
    }
  }

  /** Whether it calls no modules; {@link OperatorValuesTest} is about these. */
  private static boolean isFlat(String name) {
    return name.matches("\\w+\\.(frozen|inlined)(_\\w+)?");
  }

  static ReferenceArchive of(String name) throws IOException {
    assumeTrue(Files.isDirectory(FOLDER), "no reference data in " + FOLDER);
    String model = model(name);
    JsonNode facts = JSON.readTree(FOLDER.resolve(model + ".json").toFile());
    return new ReferenceArchive(
        FOLDER.resolve(name + ".pt"),
        name,
        facts,
        facts.get("archives").get(name.substring(model.length() + 1)),
        Safetensors.read(FOLDER.resolve(model + ".safetensors")));
  }

  /** {@code resnet_basic} of {@code resnet_basic.traced}. */
  static String model(String name) {
    return name.substring(0, name.indexOf('.'));
  }

  /** One tensor that a module returned. */
  record Output(String path, String label, String archiveLabel, JsonNode tensor) {}

  /** Everything that the modules of this archive return, in order of the calls. */
  List<Output> outputs() {
    Set<String> unavailable = new HashSet<>();
    form.get("unavailable").forEach(u -> unavailable.add(u.asText()));
    List<Output> outputs = new ArrayList<>();
    for (JsonNode call : facts.get("calls")) {
      String path = call.get("path").asText();
      for (JsonNode tensor : call.get("tensors")) {
        String label = label(path, call.get("call").asInt(), tensor.get("key").asText());
        if (!unavailable.contains(label)) {
          String known = form.get("known_in_archive_as").path(label).asText(label);
          outputs.add(new Output(path.isEmpty() ? "." : path, label, known, tensor));
        }
      }
    }
    return outputs;
  }

  /** A tensor that the reference holds in full; {@code gradient} may be null. */
  record Full(String archiveLabel, Tensor activation, Tensor gradient) {}

  List<Full> full() {
    List<Full> result = new ArrayList<>();
    for (JsonNode each : facts.get("full_tensors")) {
      String label =
          label(each.get("path").asText(), each.get("call").asInt(), each.get("key").asText());
      if (!form.get("unavailable").toString().contains('"' + label + '"')) {
        String known = form.get("known_in_archive_as").path(label).asText(label);
        result.add(
            new Full(known, tensor(each.get("act").asText()), tensor(each.get("grad").asText())));
      }
    }
    return result;
  }

  private Tensor tensor(String key) {
    return Objects.requireNonNull(tensors.tensors().get(key), key);
  }

  private static String label(String path, int call, String key) {
    return new Label(path.isEmpty() ? "." : path, call, key).toString();
  }

  boolean hasGradients() {
    return !form.has("backward_error");
  }

  List<PtNDArray> inputs(TorchRun run) {
    List<PtNDArray> inputs = new ArrayList<>();
    for (JsonNode input : facts.get("inputs")) {
      inputs.add(run.array(tensor(input.get("tensor").asText())));
    }
    return inputs;
  }

  /** The scalar that the reference differentiated. */
  PtNDArray score(TorchRun run, IValue result) {
    String output = facts.get("score").get("output").asText();
    for (NDArray array : run.arrays(result)) {
      if (output.isEmpty() || array.getName() == null || output.equals(array.getName())) {
        return (PtNDArray) array.get(0).get(facts.get("score").get("class").asInt()).sum();
      }
    }
    throw new AssertionError("no output " + output);
  }

  /** A copy that records every module that forward calls. */
  InstrumentedArchive everyPath() throws IOException {
    TorchScriptArchive archive = TorchScriptArchive.open(file);
    return archive.instrument(
        archive.modules().stream()
            .filter(module -> module.callSites() > 0)
            .map(ModuleDescription::path)
            .toList());
  }
}
