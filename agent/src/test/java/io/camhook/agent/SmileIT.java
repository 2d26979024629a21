package io.camhook.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.camhook.recording.Capture;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Smile's {@code MLP}, which has buffers of the thread and no backward from an output. */
class SmileIT extends PlainHost {
  SmileIT() {
    super("smile", "Iris.java");
  }

  @Test
  void hidden_layer_should_have_the_gradient_that_the_weights_say() throws Exception {
    String plain = run(false).out();
    ForkedJvm.Result woven = run(true);
    assertThat(woven.out()).isEqualTo(plain);
    assertThat(woven.err()).doesNotContain("onnxruntime"); // which the program does not have

    // 900 passes of training, in each of which camhook went backward too, and one prediction.
    List<Capture> captures = captures();
    assertThat(captures).as(woven.err()).hasSize(901);
    Capture capture = captures.get(900);
    assertThat(capture.tensors())
        .containsOnlyKeys("input.0", "output.0", "activation/net.1", "gradient/net.1");
    double[] label = numbers(plain, "label");
    float[] output = capture.tensors().get("output.0").toFloats();
    for (int k = 0; k < 3; k++) {
      assertThat((double) output[k]).isCloseTo(label[1 + k], within(1e-6));
    }
    assertThat(capture.targets().get(0).index()).isEqualTo((int) label[0]);
    // z = W a + b: the derivative of z_c with respect to a is row c of W.
    double[] row = numbers(plain, "row");
    float[] gradient = capture.tensors().get("gradient/net.1").toFloats();
    assertThat(gradient).hasSize(row.length);
    for (int j = 0; j < row.length; j++) {
      assertThat((double) gradient[j]).isCloseTo(row[j], within(1e-6));
    }
  }
}
