package io.camhook.agent.weave;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.djl.Device;
import ai.djl.Model;
import ai.djl.inference.Predictor;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.camhook.config.CamhookConfig.Target;
import io.camhook.recording.Capture;
import io.camhook.recording.LayerOutput;
import io.camhook.recording.Safetensors;
import io.camhook.recording.Tensor;
import io.camhook.recording.TensorName;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What requests of TorchScript models capture, next to what PyTorch's hooks saw. */
class ScriptReferenceTest {
  private static final Path FOLDER =
      Path.of(System.getProperty("camhook.reference", ""), "torchscript");
  private static final double TOLERANCE = 1e-4;
  private static final String OTHER_KERNELS = "with other kernels";
  private static final String NO_GRADIENTS = "is captured without gradients from now on";

  /** The last column: what camhook has to say of the model. */
  @ParameterizedTest
  @CsvSource({
    "one_conv.scripted,",
    "gap_linear.scripted,",
    "resnet_basic.traced,",
    "resnet_basic.scripted,",
    "squeezenet1_1.scripted,",
    "residual_inplace.scripted,",
    "shared_module.traced,",
    "control_flow.scripted,",
    "tuple_module.traced,",
    "dict_root.scripted,",
    "multi_input.scripted,",
    "unet.traced,",
    "swin.traced,'stochastic_depth: returns NoneType in this archive, so there is nothing to record'",
    "vit.traced," + OTHER_KERNELS,
    "vit.traced_no_grad," + NO_GRADIENTS
  })
  void captures_should_hold_what_pytorch_hooks_saw(String name, @Nullable String message)
      throws Exception {
    assumeTrue(Files.isDirectory(FOLDER), "no reference data in " + FOLDER);
    String base = name.substring(0, name.indexOf('.'));
    JsonNode facts = new ObjectMapper().readTree(FOLDER.resolve(base + ".json").toFile());
    Safetensors tensors = Safetensors.read(FOLDER.resolve(base + ".safetensors"));
    Target target = new Target(Target.Kind.CLASS, 1, facts.get("score").get("class").asInt(), null);
    List<TreeMap<String, ByteBuffer>> plain = predict(name, facts, tensors);
    List<TreeMap<String, ByteBuffer>> watched;
    try (WovenDjl djl = new WovenDjl(WovenDjl.capturing(target, "*"))) {
      watched = predict(name, facts, tensors);
      boolean gradients = !NO_GRADIENTS.equals(message);
      assertThat(djl.failures).hasSize(gradients ? 0 : 1);
      assertThat(djl.captured()).hasSize(watched.size());
      for (Capture capture : djl.captured()) {
        check(name, facts, capture, gradients);
      }
      assertThat(djl.messages).allMatch(m -> m.contains(message));
    }
    boolean otherKernels = OTHER_KERNELS.equals(message);
    if (!otherKernels) {
      assertThat(watched).isEqualTo(plain);
    }
    assertThat(watched.get(0)).isEqualTo(plain.get(0)); // compared, so the plain method's
  }

  /** oneDNN's AVX2 kernels, which the other tests need here, round bfloat16 gradients otherwise. */
  @Test
  @Tag("default-kernels")
  void captures_of_bfloat16_should_hold_what_pytorch_hooks_saw() throws Exception {
    captures_should_hold_what_pytorch_hooks_saw("bfloat16.traced", null);
  }

  /** The outputs, by name, of three requests. */
  private static List<TreeMap<String, ByteBuffer>> predict(
      String name, JsonNode facts, Safetensors tensors) throws Exception {
    List<TreeMap<String, ByteBuffer>> outputs = new ArrayList<>();
    try (Model model = Model.newInstance("net", Device.cpu(), "PyTorch");
        NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
      model.load(FOLDER, name + ".pt");
      try (Predictor<NDList, NDList> predictor = model.newPredictor(Nets.unbatched())) {
        for (int i = 0; i < 3; i++) {
          TreeMap<String, ByteBuffer> named =
              named(predictor.predict(inputs(facts, tensors, manager)));
          outputs.add(named);
          // Not a predictor's request, so never sampled: the plain method, between captured passes.
          NDList unsampled =
              model
                  .getBlock()
                  .forward(
                      new ParameterStore(manager, false), inputs(facts, tensors, manager), false);
          assertThat(named(unsampled)).as(name + " unsampled").isEqualTo(outputs.get(0));
        }
      }
    }
    return outputs;
  }

  private static NDList inputs(JsonNode facts, Safetensors tensors, NDManager manager) {
    NDList inputs = new NDList();
    for (JsonNode input : facts.get("inputs")) {
      inputs.add(array(tensors.tensors().get(input.get("tensor").asText()), manager));
    }
    return inputs;
  }

  private static TreeMap<String, ByteBuffer> named(NDList outputs) {
    TreeMap<String, ByteBuffer> named = new TreeMap<>();
    for (NDArray output : outputs) {
      String key = output.getName() == null ? "" : output.getName();
      named.put(key + (named.containsKey(key) ? named.size() : ""), output.toByteBuffer());
    }
    return named;
  }

  private static NDArray array(Tensor tensor, NDManager manager) {
    ByteBuffer bytes = ByteBuffer.allocateDirect((int) tensor.byteSize());
    bytes.order(ByteOrder.nativeOrder()).put(tensor.data()).rewind();
    return manager.create(bytes, new Shape(tensor.shape()), DataType.FLOAT32);
  }

  private static void check(String name, JsonNode facts, Capture capture, boolean gradients) {
    JsonNode form = facts.get("archives").get(name.substring(name.indexOf('.') + 1));
    List<String> unavailable = new ArrayList<>();
    form.get("unavailable").forEach(label -> unavailable.add(label.asText()));
    int compared = 0;
    for (JsonNode call : facts.get("calls")) {
      for (JsonNode tensor : call.get("tensors")) {
        String path = call.get("path").asText().isEmpty() ? "." : call.get("path").asText();
        int index = call.get("call").asInt();
        String key = tensor.get("key").asText();
        String label = path + (index > 0 ? "#" + index : "") + (key.isEmpty() ? "" : ":" + key);
        if (unavailable.contains(label)) {
          continue;
        }
        LayerOutput layer =
            LayerOutput.parse(form.get("known_in_archive_as").path(label).asText(label));
        Tensor activation = capture.tensor(TensorName.activation(layer)).orElseThrow();
        assertThat(error(tensor.get("act"), tensor.get("at"), activation))
            .as(name + " activation of " + label)
            .isLessThan(TOLERANCE);
        compared++;
        if (!gradients) {
          assertThat(capture.tensor(TensorName.gradient(0, layer))).isEmpty();
        } else if (!tensor.get("grad").isNull() && !path.equals(".")) {
          Tensor gradient = capture.tensor(TensorName.gradient(0, layer)).orElseThrow();
          double error = error(tensor.get("grad"), tensor.get("at"), gradient);
          if (tensor.has("grad_if_copied")) {
            error =
                Math.min(error, error(tensor.get("grad_if_copied"), tensor.get("at"), gradient));
          }
          assertThat(error).as(name + " gradient of " + label).isLessThan(TOLERANCE);
        }
      }
    }
    assertThat(compared).isPositive();
  }

  /** The worst of the L2 norm and the L2 distance of the sample; both relative. */
  private static double error(JsonNode expected, JsonNode at, Tensor tensor) {
    float[] found = tensor.toFloats();
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
