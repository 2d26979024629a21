package io.camhook.agent.weave;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.camhook.recording.Safetensors;
import io.camhook.recording.Tensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A TorchScript archive of the reference data, with what PyTorch's hooks saw in the model. */
record HookTraceArchive(String name, JsonNode facts, Safetensors tensors) {
  static final Path FOLDER = Path.of(System.getProperty("camhook.reference", ""), "torchscript");

  /**
   * One tensor that a module returned.
   *
   * @param label its place in the archive: {@code path#call:key}
   * @param facts its values
   */
  record Output(String label, JsonNode facts) {
    /** Relative error of the activation. */
    double activationError(float[] found) {
      return error(facts.get("act"), found);
    }

    boolean hasGradient() {
      return !facts.get("grad").isNull();
    }

    /** Whether PyTorch's module hooks see a gradient too, not only a hook of the tensor. */
    boolean hasOwnGradient() {
      return hasGradient() && !facts.has("grad_note");
    }

    /** Relative error of the gradient through this result, or through the tensor in all. */
    double gradientError(float[] found) {
      double error = error(facts.get("grad"), found);
      return facts.has("grad_if_copied")
          ? Math.min(error, error(facts.get("grad_if_copied"), found))
          : error;
    }

    /** Relative error of the gradient through this result alone. */
    double ownGradientError(float[] found) {
      return error(facts.get(facts.has("grad_if_copied") ? "grad_if_copied" : "grad"), found);
    }

    /** The worst of the L2 norm and the L2 distance of the sample; both relative. */
    private double error(JsonNode expected, float[] found) {
      JsonNode at = facts.get("at");
      double squares = 0;
      for (float f : found) {
        squares += (double) f * f;
      }
      double l2 = expected.get("l2").asDouble();
      double difference = 0;
      double sample = 0;
      for (int i = 0; i < at.size(); i++) {
        double e = expected.get("sample").get(i).asDouble();
        difference += Math.pow(found[at.get(i).asInt()] - e, 2);
        sample += e * e;
      }
      // A sample of near zeros is measured by the size of a typical element.
      double typical = 0.1 * l2 * Math.sqrt((double) at.size() / found.length);
      double scale = Math.max(Math.max(Math.sqrt(sample), typical), Float.MIN_NORMAL);
      return Math.max(
          Math.sqrt(difference) / scale,
          Math.abs(Math.sqrt(squares) - l2) / Math.max(l2, Float.MIN_NORMAL));
    }
  }

  /**
   * The relative tolerance of a gradient. Without AVX-512, ATen's own convolutions of bfloat16
   * round at other points than the reference's: half of its precision, 2⁻⁷.
   */
  double gradientTolerance() throws IOException {
    Path processor = Path.of("/proc/cpuinfo");
    return name.startsWith("bfloat16") && !Files.readString(processor).contains("avx512bw")
        ? 0x1p-8
        : 1e-4;
  }

  /** Skips the test if the reference data is missing. */
  static HookTraceArchive of(String name) throws IOException {
    assumeTrue(Files.isDirectory(FOLDER), "no reference data in " + FOLDER);
    String base = name.substring(0, name.indexOf('.'));
    return new HookTraceArchive(
        name,
        new ObjectMapper().readTree(FOLDER.resolve(base + ".json").toFile()),
        Safetensors.read(FOLDER.resolve(base + ".safetensors")));
  }

  String file() {
    return name + ".pt";
  }

  /** Index of the logit that was differentiated. */
  int scoredClass() {
    return facts.get("score").get("class").asInt();
  }

  /** The output that was differentiated. */
  NDArray logits(NDList outputs) {
    String name = facts.get("score").get("output").asText();
    return outputs.stream()
        .filter(array -> name.isEmpty() || name.equals(array.getName()))
        .findFirst()
        .orElseThrow();
  }

  NDList inputs(NDManager manager) {
    NDList inputs = new NDList();
    for (JsonNode input : facts.get("inputs")) {
      inputs.add(array(tensors.tensors().get(input.get("tensor").asText()), manager));
    }
    return inputs;
  }

  private static NDArray array(Tensor tensor, NDManager manager) {
    ByteBuffer bytes = ByteBuffer.allocateDirect((int) tensor.byteSize());
    bytes.order(ByteOrder.nativeOrder()).put(tensor.data()).rewind();
    return manager.create(bytes, new Shape(tensor.shape()), DataType.FLOAT32);
  }

  /** The archive's name for an output of the eager model. */
  String labelOf(String eager) {
    JsonNode form = facts.get("archives").get(name.substring(name.indexOf('.') + 1));
    return form.get("known_in_archive_as").path(eager).asText(eager);
  }

  /** What the archive's modules return, in order of completion. */
  List<Output> outputs() {
    JsonNode form = facts.get("archives").get(name.substring(name.indexOf('.') + 1));
    List<String> unavailable = new ArrayList<>();
    form.get("unavailable").forEach(label -> unavailable.add(label.asText()));
    List<Output> outputs = new ArrayList<>();
    for (JsonNode call : facts.get("calls")) {
      for (JsonNode tensor : call.get("tensors")) {
        String path = call.get("path").asText().isEmpty() ? "." : call.get("path").asText();
        int index = call.get("call").asInt();
        String key = tensor.get("key").asText();
        String label = path + (index > 0 ? "#" + index : "") + (key.isEmpty() ? "" : ":" + key);
        if (!unavailable.contains(label)) {
          outputs.add(new Output(labelOf(label), tensor));
        }
      }
    }
    return outputs;
  }
}
