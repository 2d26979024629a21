package io.camhook.agent.weave;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Device;
import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.inference.Predictor;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.camhook.HookHandle;
import io.camhook.HookOptions;
import io.camhook.config.CamhookConfig.Target;
import io.camhook.djl.BlockHooks;
import io.camhook.naming.ModuleDescription;
import io.camhook.torchscript.TorchScriptArchive;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Hooks that replace the values of operators, where freezing has left no modules, and in the code
 * of modules. An operator whose value is what a module of the eager model returned is replaced as
 * PyTorch's forward hook replaced that module's, and the scores are to be the same. Several
 * operators can have one value (a ReLU in place, a dropout that does nothing): then one of them is
 * the module's.
 */
class OperatorReplaceReferenceTest {
  private static final Path REPLACED =
      Path.of(System.getProperty("camhook.reference", ""), "replace", "replace.json");
  private static final double TOLERANCE = 1e-4;

  @BeforeAll
  static void loadTheEngine() {
    Engine.getEngine("PyTorch");
  }

  /** A clone has all but MobileNet. */
  static List<String> archives() {
    return Stream.of(
            "gap_linear.frozen",
            "residual_inplace.frozen",
            "control_flow.frozen",
            "mobilenet_v3_small.frozen",
            "densenet.frozen",
            "unet.frozen",
            "vit.frozen",
            "residual_inplace.scripted",
            "residual_inplace.traced",
            "control_flow.scripted",
            "shared_module.scripted",
            "shared_module.traced",
            "resnet_basic.scripted",
            "densenet.traced",
            "unet.scripted",
            "swin.traced")
        .filter(name -> Files.exists(HookTraceArchive.FOLDER.resolve(name + ".pt")))
        .toList();
  }

  @ParameterizedTest
  @MethodSource("archives")
  void replaced_values_should_lead_to_the_scores_of_pytorch(String name) throws Exception {
    HookTraceArchive archive = HookTraceArchive.of(name);
    JsonNode replaced =
        new ObjectMapper()
            .readTree(REPLACED.toFile())
            .get(name.substring(0, name.indexOf('.')))
            .get("replaced");
    int equal = 0;
    double worst = 0;
    List<String> folded = new ArrayList<>();
    // without its name, an operator in a leaf of torch.nn is no layer for hooks
    String layers = name.endsWith(".frozen") ? "*" : "*/*";
    try (WovenDjl djl =
            new WovenDjl(WovenDjl.config(0, false, WovenDjl.model(Target.TOP1, null, layers)));
        Model model = Model.newInstance("net", Device.cpu(), "PyTorch");
        NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
      model.load(HookTraceArchive.FOLDER, archive.file());
      try (Predictor<NDList, NDList> predictor = model.newPredictor(Nets.unbatched())) {
        NDList inputs = archive.inputs(manager);
        byte[] plain = Nets.bytes(predictor.predict(inputs));
        Map<Call, float[]> values = values(archive, model, predictor, inputs);
        assertThat(Nets.bytes(predictor.predict(inputs))).isEqualTo(plain);
        for (JsonNode each : replaced) {
          if (!each.get("kind").asText().equals("output") || each.has("before")) {
            continue;
          }
          double best = Double.POSITIVE_INFINITY;
          for (Call call : same(values, output(archive, each))) {
            try (HookHandle handle = replace(model, call)) {
              NDArray scores = archive.logits(predictor.predict(inputs));
              best = Math.min(best, ReplacingRule.error(each.get("scores"), scores));
            }
          }
          if (best == Double.POSITIVE_INFINITY) {
            folded.add(call(archive, each).get("type").asText());
            continue;
          }
          assertThat(best).as("%s", each).isLessThan(TOLERANCE);
          worst = Math.max(worst, best);
          equal++;
        }
        assertThat(Nets.bytes(predictor.predict(inputs))).isEqualTo(plain);
      }
      assertThat(djl.messages).isEmpty();
    }
    System.out.printf(
        "replace operators of %s: %d equal, worst %.1e; folded away: %d%n",
        name, equal, worst, folded.size());
    assertThat(equal).isPositive();
    // a convolution before a batch norm is folded, and a dropout that follows ViT's attention is
    // gone: there its value is an element of the tuple that one operator returns
    assertThat(folded)
        .allMatch(
            type -> type.contains("Conv") || (name.startsWith("vit") && type.endsWith("Dropout")));
  }

  /** One run of an operator. */
  private record Call(String path, int number) {}

  /** What every operator of a pass made. */
  private static Map<Call, float[]> values(
      HookTraceArchive archive, Model model, Predictor<NDList, NDList> predictor, NDList inputs)
      throws Exception {
    Map<Call, float[]> values = new LinkedHashMap<>();
    Map<String, Integer> calls = new LinkedHashMap<>();
    List<HookHandle> handles = new ArrayList<>();
    for (ModuleDescription module :
        TorchScriptArchive.open(HookTraceArchive.FOLDER.resolve(archive.file())).operators()) {
      handles.add(
          BlockHooks.registerForwardHook(
              model,
              module.path(),
              (block, path, in, out) -> {
                Call call = new Call(path, calls.merge(path, 1, Integer::sum) - 1);
                if (out.size() == 1 && out.head().getDataType() == DataType.FLOAT32) {
                  values.put(call, out.head().toFloatArray());
                }
                return null;
              }));
    }
    predictor.predict(inputs);
    handles.forEach(HookHandle::remove);
    return values;
  }

  private static HookTraceArchive.Output output(HookTraceArchive archive, JsonNode replaced) {
    return new HookTraceArchive.Output("", call(archive, replaced).get("tensors").get(0));
  }

  private static JsonNode call(HookTraceArchive archive, JsonNode replaced) {
    for (JsonNode call : archive.facts().get("calls")) {
      if (call.get("path").asText().equals(replaced.get("path").asText())
          && call.get("call").asInt() == replaced.get("call").asInt()) {
        return call;
      }
    }
    throw new AssertionError(replaced);
  }

  private static List<Call> same(Map<Call, float[]> values, HookTraceArchive.Output output) {
    long elements = 1;
    for (JsonNode size : output.facts().get("shape")) {
      elements *= size.asLong();
    }
    List<Call> same = new ArrayList<>();
    for (Map.Entry<Call, float[]> value : values.entrySet()) {
      if (value.getValue().length == elements
          && output.activationError(value.getValue()) < TOLERANCE) {
        same.add(value.getKey());
      }
    }
    return same;
  }

  private static HookHandle replace(Model model, Call call) {
    int[] calls = {0};
    return BlockHooks.registerForwardHook(
        model,
        call.path(),
        (block, path, in, out) -> {
          if (calls[0]++ != call.number()) {
            return null;
          }
          return new NDList(ReplacingRule.apply(out.head()));
        },
        HookOptions.replacing());
  }
}
