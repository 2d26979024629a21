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
import ai.djl.translate.TranslateException;
import io.camhook.config.CamhookConfig.Target;
import io.camhook.dispatch.Dispatch;
import io.camhook.recording.Capture;
import io.camhook.recording.LayerOutput;
import io.camhook.recording.TensorName;
import java.io.ByteArrayOutputStream;
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

  @Test
  void captures_of_several_threads_should_leave_every_output_as_it_is() throws Exception {
    try (Model model = Nets.cnn("net")) {
      byte[][] plain = predictInThreads(model);
      try (WovenDjl djl = new WovenDjl(WovenDjl.capturing(Target.TOP1, "*"))) {
        byte[][] hooked = predictInThreads(model);
        assertThat(djl.failures).isEmpty();
        assertThat(djl.captured()).hasSize(3 * 20);
        assertThat(hooked).isEqualTo(plain);
        assertThat(Dispatch.active).isFalse();
      }
    }
  }

  /** The outputs of 20 pictures in each of 3 threads. */
  private static byte[][] predictInThreads(Model model) throws Exception {
    byte[][] outputs = new byte[3][];
    Thread[] threads = new Thread[outputs.length];
    for (int t = 0; t < threads.length; t++) {
      int thread = t;
      threads[t] =
          new Thread(
              () -> {
                ByteArrayOutputStream all = new ByteArrayOutputStream();
                try (NDManager manager = NDManager.newBaseManager("PyTorch");
                    Predictor<NDList, NDList> predictor = model.newPredictor(Nets.unbatched())) {
                  for (int i = 0; i < 20; i++) {
                    NDArray x = Nets.input(manager, 1, 1, 8, 8).add(thread + i / 10f);
                    all.writeBytes(Nets.bytes(predictor.predict(new NDList(x))));
                  }
                } catch (TranslateException e) {
                  throw new IllegalStateException(e);
                }
                outputs[thread] = all.toByteArray();
              });
      threads[t].start();
    }
    for (Thread thread : threads) {
      thread.join();
    }
    return outputs;
  }

  @Test
  void auto_should_find_the_last_spatial_layer_and_lose_no_pass() throws Exception {
    try (Model model = Nets.cnn("net");
        NDManager manager = NDManager.newBaseManager("PyTorch");
        WovenDjl djl = new WovenDjl(WovenDjl.capturing(Target.TOP1, "auto"));
        Predictor<NDList, NDList> predictor = model.newPredictor(Nets.unbatched())) {
      predictor.predict(new NDList(Nets.input(manager, 1, 1, 8, 8)));
      predictor.predict(new NDList(Nets.input(manager, 1, 1, 8, 8)));
      assertThat(djl.failures).isEmpty();
      assertThat(djl.captured()).hasSize(2);
      for (Capture capture : djl.captured()) {
        assertThat(capture.layers()).hasSize(1);
        assertThat(capture.layers().get(0).path()).startsWith("01SequentialBlock.04");
        assertThat(capture.tensor(TensorName.gradient(0, capture.layers().get(0)))).isPresent();
      }
    }
  }

  /** conv, ReLU, conv to three classes, ReLU: the class map is the second convolution's. */
  @Test
  void auto_should_not_be_the_class_map_of_a_segmentation_model() throws Exception {
    try (Model model = Nets.segmentation("net");
        NDManager manager = NDManager.newBaseManager("PyTorch");
        WovenDjl djl = new WovenDjl(WovenDjl.capturing(Target.TOP1, "auto"));
        Predictor<NDList, NDList> predictor = model.newPredictor(Nets.unbatched())) {
      predictor.predict(new NDList(Nets.input(manager, 1, 1, 8, 8)));
      assertThat(djl.failures).isEmpty();
      assertThat(djl.captured()).hasSize(1);
      assertThat(djl.captured().get(0).layers()).hasSize(1);
      assertThat(djl.captured().get(0).layers().get(0).path()).startsWith("02");
    }
  }

  @Test
  void exact_should_capture_what_a_direct_pass_captures() throws Exception {
    try (Model model = Nets.cnn("net");
        NDManager manager = NDManager.newBaseManager("PyTorch");
        WovenDjl djl =
            new WovenDjl(WovenDjl.config(1, true, WovenDjl.model(Target.TOP1, null, "03Conv2d")));
        Predictor<NDList, NDList> predictor = model.newPredictor(Nets.unbatched())) {
      NDArray x = Nets.input(manager, 1, 1, 8, 8);
      predictor.predict(new NDList(x));
      assertThat(djl.failures).isEmpty();
      Capture capture = djl.captured().get(0);
      LayerOutput layer = capture.layers().get(0);
      Expected expected = expected(model, x);
      assertThat(capture.tensor(TensorName.gradient(0, layer)).orElseThrow().toFloats())
          .isEqualTo(expected.gradient);
    }
  }

  @Test
  void layer_that_matches_nothing_should_be_one_warning_with_the_closest_paths() throws Exception {
    try (Model model = Nets.cnn("net");
        WovenDjl djl = new WovenDjl(WovenDjl.capturing(Target.TOP1, "03Conv1d"));
        Predictor<NDList, NDList> first = model.newPredictor(Nets.unbatched());
        Predictor<NDList, NDList> second = model.newPredictor(Nets.unbatched())) {
      assertThat(djl.messages).hasSize(1);
      assertThat(djl.messages.get(0))
          .contains("layer '03Conv1d' matches none of its 9 modules")
          .contains("closest: [");
    }
  }

  @Test
  void top_2_of_a_batch_should_have_a_gradient_per_sample_and_target() throws Exception {
    try (Model model = Nets.cnn("net");
        NDManager manager = NDManager.newBaseManager("PyTorch");
        WovenDjl djl =
            new WovenDjl(WovenDjl.capturing(new Target(Target.Kind.TOP, 2, -1, null), "03Conv2d"));
        Predictor<NDList, NDList> predictor = model.newPredictor(Nets.unbatched())) {
      predictor.predict(new NDList(Nets.input(manager, 3, 1, 8, 8)));
      assertThat(djl.failures).isEmpty();
      Capture capture = djl.captured().get(0);
      LayerOutput layer = capture.layers().get(0);
      assertThat(capture.targets()).hasSize(6);
      for (int n = 0; n < 2; n++) {
        assertThat(capture.tensor(TensorName.gradient(n, layer)).orElseThrow().shape())
            .containsExactly(3, 3, 8, 8);
      }
      assertThat(capture.topK()).hasSize(3);
    }
  }

  @Test
  void pass_that_is_not_drawn_should_leave_the_flag_down() throws Exception {
    try (Model model = Nets.cnn("net");
        NDManager manager = NDManager.newBaseManager("PyTorch");
        WovenDjl djl =
            new WovenDjl(WovenDjl.config(0, false, WovenDjl.model(Target.TOP1, null, "*")));
        Predictor<NDList, NDList> predictor = model.newPredictor(Nets.unbatched())) {
      predictor.predict(new NDList(Nets.input(manager, 1, 1, 8, 8)));
      assertThat(Dispatch.active).isFalse();
      assertThat(djl.captured()).isEmpty();
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
