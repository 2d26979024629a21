package io.camhook.agent.weave;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Model;
import ai.djl.inference.Predictor;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Block;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.JniUtils;
import ai.djl.training.ParameterStore;
import io.camhook.config.CamhookConfig.Target;
import io.camhook.dispatch.Dispatch;
import io.camhook.recording.Capture;
import io.camhook.recording.LayerOutput;
import io.camhook.recording.TensorName;
import org.junit.jupiter.api.Test;

class DjlCaptureTest {
  @Test
  void capture_should_hold_activation_and_gradient_of_the_top_class() throws Exception {
    try (Model model = Nets.cnn("net");
        NDManager manager = NDManager.newBaseManager("PyTorch")) {
      NDArray x = Nets.input(manager, 1, 1, 8, 8);
      byte[] plain;
      try (Predictor<NDList, NDList> predictor = model.newPredictor(Nets.unbatched())) {
        plain = Nets.bytes(predictor.predict(new NDList(x)));
      }
      Capture capture;
      byte[] hooked;
      try (WovenDjl djl = new WovenDjl(WovenDjl.capturing(Target.TOP1, "03Conv2d"));
          Predictor<NDList, NDList> predictor = model.newPredictor(Nets.unbatched())) {
        boolean mode = JniUtils.isGradMode();
        hooked = Nets.bytes(predictor.predict(new NDList(x)));
        assertThat(JniUtils.isGradMode()).isEqualTo(mode);
        assertThat(Dispatch.active).isFalse();
        assertThat(djl.failures).isEmpty();
        assertThat(djl.messages).isEmpty();
        capture = djl.captured().get(0);
      }
      assertThat(hooked).isEqualTo(plain);

      LayerOutput layer = LayerOutput.of("01SequentialBlock.03Conv2d");
      assertThat(capture.layers()).containsExactly(layer);
      Expected expected = expected(model, x);
      assertThat(capture.tensor(TensorName.activation(layer)).orElseThrow().toFloats())
          .isEqualTo(expected.activation);
      assertThat(capture.tensor(TensorName.gradient(0, layer)).orElseThrow().toFloats())
          .isEqualTo(expected.gradient);
      assertThat(capture.targets()).hasSize(1);
      assertThat(capture.targets().get(0).index()).isEqualTo(expected.top);
      assertThat(capture.tensor(TensorName.CLASSIFIER_WEIGHT).orElseThrow().shape())
          .containsExactly(1, 3);
    }
  }

  private record Expected(float[] activation, float[] gradient, int top) {}

  /** The same by DJL's own autograd: the rest of the model is run on a leaf. */
  private static Expected expected(Model model, NDArray x) {
    ParameterStore store = new ParameterStore(model.getNDManager(), false);
    Block features = model.getBlock().getChildren().get(0).getValue();
    NDList a = new NDList(x);
    for (int i = 0; i < 3; i++) {
      a = features.getChildren().get(i).getValue().forward(store, a, false);
    }
    float[] activation = a.head().toFloatArray();
    NDArray leaf = a.head().stopGradient().duplicate();
    boolean mode = JniUtils.isGradMode();
    JniUtils.setGradMode(true);
    try {
      leaf.setRequiresGradient(true);
      NDList y = features.getChildren().get(3).getValue().forward(store, new NDList(leaf), false);
      for (int i = 1; i < 4; i++) {
        y = model.getBlock().getChildren().get(i).getValue().forward(store, y, false);
      }
      int top = (int) y.head().argMax().getLong();
      NDArray seed = y.head().getManager().zeros(y.head().getShape());
      float[] one = new float[5];
      one[top] = 1;
      seed = y.head().getManager().create(one, y.head().getShape());
      JniUtils.backward((PtNDArray) y.head(), (PtNDArray) seed, false, false);
      return new Expected(activation, leaf.getGradient().toFloatArray(), top);
    } finally {
      JniUtils.setGradMode(mode);
    }
  }
}
