package io.camhook.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.camhook.recording.Capture;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Neuroph, whose layers hold neurons as objects: activations, and no gradients. */
class NeurophIT extends PlainHost {
  NeurophIT() {
    super("neuroph", "Xor.java");
  }

  @Test
  void outputs_of_neurons_should_be_the_activation_of_their_layer() throws Exception {
    String plain = run(false).out();
    ForkedJvm.Result woven = run(true);
    assertThat(woven.out()).isEqualTo(plain);

    List<Capture> captures = captures();
    assertThat(captures).as(woven.err()).hasSize(1);
    check(captures.get(0), "activation/layers.1", numbers(plain, "hidden"));
    check(captures.get(0), "output.0", numbers(plain, "output"));
  }

  private static void check(Capture capture, String name, double[] expected) {
    float[] values = capture.tensors().get(name).toFloats();
    assertThat(values).hasSize(expected.length);
    for (int i = 0; i < values.length; i++) {
      assertThat((double) values[i]).isCloseTo(expected[i], within(1e-7)); // float32
    }
  }
}
