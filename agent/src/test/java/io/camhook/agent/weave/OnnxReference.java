package io.camhook.agent.weave;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.camhook.recording.Tensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.StreamSupport;

/** An ONNX model of the reference data, with what PyTorch's hooks saw in the same network. */
record OnnxReference(Path file, JsonNode facts, HookTraceArchive network) {
  static final Path FOLDER = Path.of(System.getProperty("camhook.reference", ""), "onnx");

  /** Skips the test if the reference data is missing. */
  static OnnxReference of(String name) throws IOException {
    assumeTrue(Files.isDirectory(FOLDER), "no reference data in " + FOLDER);
    return new OnnxReference(
        FOLDER.resolve(name + ".onnx"),
        new ObjectMapper().readTree(FOLDER.resolve(name + ".json").toFile()),
        HookTraceArchive.of(name.substring(0, name.indexOf('.')) + ".traced"));
  }

  /** Paths whose value is in the graph. */
  List<String> available() {
    return StreamSupport.stream(facts.get("available").spliterator(), false)
        .map(JsonNode::asText)
        .toList();
  }

  /** Their modules. */
  List<String> withoutCalls() {
    return available().stream().map(path -> path.replaceAll("#.*", "")).distinct().toList();
  }

  /** Name of the value that the module at a path returns. */
  String value(String path) {
    return facts.get("tensor").get(path).asText();
  }

  List<String> values(List<String> paths) {
    return paths.stream().map(this::value).distinct().toList();
  }

  /** The network's inputs under the model's names; whoever gets them closes them. */
  Map<String, OnnxTensor> inputs(OrtEnvironment environment) throws OrtException {
    Map<String, OnnxTensor> inputs = new LinkedHashMap<>();
    for (int i = 0; i < facts.get("inputs").size(); i++) {
      String recorded = network.facts().get("inputs").get(i).get("tensor").asText();
      inputs.put(
          facts.get("inputs").get(i).asText(),
          value(environment, network.tensors().tensors().get(recorded)));
    }
    return inputs;
  }

  static OnnxTensor value(OrtEnvironment environment, Tensor tensor) throws OrtException {
    ByteBuffer bytes = ByteBuffer.allocateDirect((int) tensor.byteSize());
    bytes.order(ByteOrder.nativeOrder()).put(tensor.data()).rewind();
    return OnnxTensor.createTensor(environment, bytes.asFloatBuffer(), tensor.shape());
  }
}
