package io.camhook.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.camhook.recording.Capture;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Deeplearning4j's {@code MultiLayerNetwork}, whose tensors are not on the heap. */
class Deeplearning4jIT extends PlainHost {
  Deeplearning4jIT() {
    super("dl4j", "Stripes.java");
  }

  @Test
  void convolution_should_have_the_derivatives_of_the_logit() throws Exception {
    String plain = run(false).out();
    ForkedJvm.Result woven = run(true);
    assertThat(woven.out()).as(woven.err()).isEqualTo(plain);

    List<Capture> captures = captures();
    // Three outputs, one for the winner, one after the training.
    assertThat(captures).as(woven.err()).hasSize(5);
    for (Capture capture : captures.subList(0, 4)) {
      assertThat(capture.tensors())
          .containsOnlyKeys(
              "image",
              "output.0",
              "activation/layers.1",
              "gradient/layers.1",
              "activation/layers.2",
              "gradient/layers.2");
      assertThat(capture.tensors().get("activation/layers.1")).hasToString("F64[1, 6, 8, 8]");
      assertThat(capture.targets().get(0).index()).isEqualTo((int) numbers(plain, "winner")[0]);
      float[] gradient = capture.tensors().get("gradient/layers.1").toFloats();
      plain
          .lines()
          .filter(line -> line.startsWith("d "))
          .map(line -> line.split(" "))
          .forEach(
              d ->
                  assertThat((double) gradient[Integer.parseInt(d[1])])
                      .isCloseTo(Double.parseDouble(d[2]), within(1e-7)));
    }
  }
}
