package io.camhook.agent.weave;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.inference.Predictor;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.camhook.config.CamhookConfig.Target;
import io.camhook.recording.Capture;
import io.camhook.recording.LayerOutput;
import io.camhook.recording.TensorName;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An LSTM without modules, as freezing leaves it: one operator that returns three tensors. */
class RecurrentOperatorTest {
  /** With weights of zero each gate is a half, and the cell starts at one. */
  private static final String LSTM =
      """
          w_ih = torch.zeros([4, 3])
          w_hh = torch.zeros([4, 1])
          h = torch.zeros([1, 1, 1])
          c = torch.ones([1, 1, 1])
          sequence = torch.unsqueeze(x, 0)
          _0, _1, _2, = torch.lstm(sequence, [h, c], [w_ih, w_hh], False, 1, 0., False, False, True)
          return torch.squeeze(_0, 0)
      """;

  @TempDir Path directory;

  @BeforeAll
  static void loadTheEngine() {
    Engine.getEngine("PyTorch");
  }

  @Test
  void lstm_should_be_a_layer_of_three_values() throws Exception {
    SourceArchive.write(directory.resolve("net.pt"), SourceArchive.PART_OF_NONE + LSTM);
    float hidden = (float) (0.5 * Math.tanh(0.5)); // the cell: half of one
    try (WovenDjl djl = new WovenDjl(WovenDjl.capturing(Target.TOP1, "lstm"));
        Model model = Model.newInstance("net", Device.cpu(), "PyTorch");
        NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
      model.load(directory, "net.pt");
      try (Predictor<NDList, NDList> predictor = model.newPredictor(Nets.unbatched())) {
        for (int i = 0; i < 3; i++) {
          NDList input = new NDList(manager.create(new float[] {-1, 2, 3}, new Shape(1, 3)));
          assertThat(predictor.predict(input).head().getFloat(0, 0))
              .isCloseTo(hidden, within(1e-6f));
        }
      }
      assertThat(djl.messages).isEmpty();
      for (Capture capture : djl.captured()) {
        assertThat(value(capture, "0")).isCloseTo(hidden, within(1e-6f));
        assertThat(value(capture, "1")).isCloseTo(hidden, within(1e-6f));
        assertThat(value(capture, "2")).isCloseTo(0.5f, within(1e-6f));
        TensorName gradient = TensorName.gradient(0, new LayerOutput("lstm", 0, "0"));
        assertThat(capture.tensor(gradient).orElseThrow().toFloats()).containsExactly(1);
      }
    }
  }

  private static float value(Capture capture, String key) {
    TensorName name = TensorName.activation(new LayerOutput("lstm", 0, key));
    return capture.tensor(name).orElseThrow().toFloats()[0];
  }
}
