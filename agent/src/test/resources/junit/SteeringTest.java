import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import ai.djl.Model;
import ai.djl.inference.Predictor;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.translate.NoopTranslator;
import io.camhook.HookHandle;
import io.camhook.HookOptions;
import io.camhook.djl.BlockHooks;
import io.camhook.junit.HookedModels;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.platform.engine.discovery.DiscoverySelectors;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;

/** A user's test, as the README shows it; the model is the reference's one convolution. */
@ExtendWith(HookedModels.class)
class SteeringTest {
  private static Model load() throws Exception {
    Model model = Model.newInstance("net", "PyTorch");
    model.load(Path.of(System.getProperty("model")));
    return model;
  }

  private static float[] predict(Model model) throws Exception {
    try (NDManager manager = NDManager.newBaseManager("PyTorch");
        Predictor<NDList, NDList> predictor = model.newPredictor(new NoopTranslator(null))) {
      NDList picture = new NDList(manager.arange(16f).reshape(new Shape(1, 1, 4, 4)));
      return predictor.predict(picture).head().toFloatArray();
    }
  }

  @Test
  void hook_should_see_the_layer() throws Exception {
    List<String> seen = new ArrayList<>();
    try (Model model = load();
        HookHandle handle =
            BlockHooks.registerForwardHook(
                model,
                "relu1",
                (module, path, inputs, outputs) -> {
                  seen.add(path + " " + outputs.head().getShape());
                  return null;
                })) {
      predict(model);
    }
    assertEquals(List.of("relu1 (1, 2, 2, 2)"), seen);
  }

  @Test
  void hook_should_steer_the_layer() throws Exception {
    try (Model model = load()) {
      float[] plain = predict(model);
      float[] before = plain.clone();
      try (HookHandle handle =
          BlockHooks.registerForwardHook(
              model,
              "relu2",
              (module, path, inputs, outputs) -> new NDList(outputs.head().mul(2)),
              HookOptions.replacing())) {
        float[] steered = predict(model);
        for (int i = 0; i < plain.length; i++) {
          plain[i] *= 2;
        }
        assertArrayEquals(plain, steered);
      }
      assertArrayEquals(before, predict(model));
    }
  }

  public static void main(String[] arguments) {
    LauncherDiscoveryRequest request =
        LauncherDiscoveryRequestBuilder.request()
            .selectors(DiscoverySelectors.selectClass(SteeringTest.class))
            .build();
    SummaryGeneratingListener listener = new SummaryGeneratingListener();
    LauncherFactory.create().execute(request, listener);
    listener.getSummary().getFailures().forEach(failure -> failure.getException().printStackTrace());
    System.out.println(
        listener.getSummary().getTestsSucceededCount() + " of " + listener.getSummary().getTestsFoundCount());
  }
}
