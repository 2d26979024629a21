package io.camhook.agent.weave;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Device;
import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.inference.Predictor;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Block;
import ai.djl.training.ParameterStore;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.camhook.HookHandle;
import io.camhook.HookOptions;
import io.camhook.config.CamhookConfig.Target;
import io.camhook.djl.BlockHooks;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Hooks that replace values inside TorchScript models, compared with PyTorch's on the eager model.
 */
class ScriptReplaceReferenceTest {
  private static final Path REPLACED =
      Path.of(System.getProperty("camhook.reference", ""), "replace", "replace.json");

  /** Scores are equal within this part of the largest absolute score. */
  private static final double TOLERANCE = 1e-4;

  private static final boolean ALL = "all".equals(System.getProperty("camhook.archives"));

  @BeforeAll
  static void loadTheEngine() {
    Engine.getEngine("PyTorch");
  }

  static Stream<String> archives() throws IOException {
    if (!ALL) {
      return Stream.of(
          "one_conv.scripted",
          "gap_linear.traced",
          "residual_inplace.scripted",
          "residual_inplace.traced",
          "shared_module.traced",
          "shared_module.scripted",
          "control_flow.scripted",
          "multi_input.scripted");
    }
    List<String> names = new ArrayList<>();
    new ObjectMapper().readTree(REPLACED.toFile()).fieldNames().forEachRemaining(names::add);
    return names.stream()
        .flatMap(name -> Stream.of(name + ".scripted", name + ".traced"))
        .filter(name -> Files.exists(HookTraceArchive.FOLDER.resolve(name + ".pt")));
  }

  @ParameterizedTest
  @MethodSource("archives")
  void replaced_values_should_lead_to_the_scores_of_pytorch(String name) throws Exception {
    HookTraceArchive archive = HookTraceArchive.of(name);
    JsonNode facts =
        new ObjectMapper().readTree(REPLACED.toFile()).get(name.substring(0, name.indexOf('.')));
    Set<String> known = known(archive);
    double worst = 0;
    int compared = 0;
    List<String> refused = new ArrayList<>();
    try (WovenDjl djl = new WovenDjl(WovenDjl.config(0, false, WovenDjl.model(Target.TOP1, null)));
        Model model = Model.newInstance("net", Device.cpu(), "PyTorch");
        NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
      model.load(HookTraceArchive.FOLDER, archive.file());
      try (Predictor<NDList, NDList> predictor = model.newPredictor(Nets.unbatched())) {
        NDList inputs = archive.inputs(manager);
        byte[] plain = Nets.bytes(predictor.predict(inputs));
        for (JsonNode replaced : facts.get("replaced")) {
          Place place = Place.of(archive, replaced.get("path"), replaced.get("call"));
          JsonNode other = replaced.get("before");
          Place before = other == null ? place : Place.of(archive, other.get(0), other.get(1));
          boolean available = known.contains(place.toString()) && known.contains(before.toString());
          List<HookHandle> handles = new ArrayList<>();
          try {
            String kind = replaced.get("kind").asText();
            register(handles, model, place, kind);
            if (before != place) {
              register(handles, model, before, "output");
            }
          } catch (IllegalArgumentException e) {
            handles.forEach(HookHandle::remove);
            assertThat(available).as("%s refused: %s", place, e.getMessage()).isFalse();
            refused.add(place.toString());
            continue;
          }
          double error =
              ReplacingRule.error(
                  replaced.get("scores"), archive.logits(predictor.predict(inputs)));
          handles.forEach(HookHandle::remove);
          if (available) {
            assertThat(error).as("%s", replaced).isLessThan(TOLERANCE);
            worst = Math.max(worst, error);
            compared++;
          }
        }
        assertThat(Nets.bytes(predictor.predict(inputs))).isEqualTo(plain);
      }
      assertThat(djl.messages).isEmpty();
    }
    System.out.printf(
        "replace %s: %d equal, worst %.1e; refused %d%n", name, compared, worst, refused.size());
    assertThat(compared).isPositive();
  }

  /** The engine specialises a method after its first run; with this one it would fail. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void every_pass_of_vit_should_run_its_hook(boolean training) throws Exception {
    HookTraceArchive archive = HookTraceArchive.of("vit.scripted");
    JsonNode replaced = replaced("vit", "conv_proj", "output");
    try (WovenDjl djl = new WovenDjl(WovenDjl.config(0, false, WovenDjl.model(Target.TOP1, null)));
        Model model = Model.newInstance("net", Device.cpu(), "PyTorch");
        NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
      model.load(HookTraceArchive.FOLDER, archive.file());
      for (int pass = 0; pass < 4; pass++) {
        List<HookHandle> handles = new ArrayList<>();
        register(handles, model, new Place("conv_proj", 0), "output");
        NDList outputs =
            model
                .getBlock()
                .forward(new ParameterStore(manager, false), archive.inputs(manager), training);
        assertThat(ReplacingRule.error(replaced.get("scores"), archive.logits(outputs)))
            .as("pass %d", pass)
            .isLessThan(TOLERANCE);
        handles.forEach(HookHandle::remove);
      }
      assertThat(djl.messages).isEmpty();
    }
  }

  private static JsonNode replaced(String model, String path, String kind) throws IOException {
    for (JsonNode each :
        new ObjectMapper().readTree(REPLACED.toFile()).get(model).get("replaced")) {
      if (each.get("path").asText().equals(path) && each.get("kind").asText().equals(kind)) {
        return each;
      }
    }
    throw new IllegalStateException("no replacement of the " + kind + " of " + path);
  }

  private static Set<String> known(HookTraceArchive archive) {
    Set<String> known = new HashSet<>();
    archive.outputs().forEach(output -> known.add(output.label()));
    return known;
  }

  /** A call in the archive, which may know the module under another of its names. */
  private record Place(String path, int call) {
    static Place of(HookTraceArchive archive, JsonNode path, JsonNode call) {
      String eager = new Place(path.asText(), call.asInt()).toString();
      String[] parts = archive.labelOf(eager).split("#");
      return new Place(parts[0], parts.length == 1 ? 0 : Integer.parseInt(parts[1]));
    }

    @Override
    public String toString() {
      return path + (call > 0 ? "#" + call : "");
    }
  }

  private static void register(List<HookHandle> handles, Model model, Place place, String kind) {
    int[] calls = {0};
    if (kind.equals("input")) {
      handles.add(
          BlockHooks.registerForwardPreHook(
              model,
              place.path(),
              (Block block, String p, NDList inputs) -> {
                if (calls[0]++ != place.call()) {
                  return null;
                }
                inputs.set(0, inputs.get(0).mul(0.5));
                return inputs;
              },
              HookOptions.replacing()));
    } else {
      handles.add(
          BlockHooks.registerForwardHook(
              model,
              place.path(),
              (block, p, inputs, outputs) ->
                  calls[0]++ == place.call()
                      ? new NDList(ReplacingRule.apply(outputs.head()))
                      : null,
              HookOptions.replacing()));
    }
  }
}
