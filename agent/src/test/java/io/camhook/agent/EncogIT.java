package io.camhook.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.camhook.recording.Capture;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Encog, whose layers are ranges of one array: what goes in and comes out, and nothing between. */
class EncogIT extends PlainHost {
  EncogIT() {
    super("encog", "Flat.java");
  }

  @Test
  void network_as_a_whole_should_be_recorded() throws Exception {
    String plain = run(false).out();
    ForkedJvm.Result woven = run(true);
    assertThat(woven.out()).isEqualTo(plain);

    List<Capture> captures = captures();
    assertThat(captures).as(woven.err()).hasSize(1);
    assertThat(captures.get(0).tensors()).containsOnlyKeys("input.0", "output.0");
    assertThat(captures.get(0).tensors().get("input.0").toFloats()).containsExactly(1, -2);
    double[] output = numbers(plain, "output");
    float[] recorded = captures.get(0).tensors().get("output.0").toFloats();
    assertThat(recorded).hasSize(output.length);
    for (int i = 0; i < output.length; i++) {
      assertThat((double) recorded[i]).isCloseTo(output[i], within(1e-7)); // float32
    }
  }
}
