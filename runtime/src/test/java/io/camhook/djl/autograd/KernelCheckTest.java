package io.camhook.djl.autograd;

import static org.assertj.core.api.Assertions.assertThat;

import io.camhook.dispatch.EventLog;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class KernelCheckTest {
  private final List<String> said = new ArrayList<>();
  private final EventLog log =
      new EventLog() {
        @Override
        public void info(String message) {}

        @Override
        public void warn(String message) {
          said.add(message);
        }

        @Override
        public void failure(String message, @Nullable Throwable cause) {}
      };

  @Test
  void exact_convolution_should_be_that_of_hand() {
    // [1,2;3,4] with a 3x3 kernel of ones and padding 1: each output is the sum of all four, 10;
    // each input is used by all four outputs, so the gradient of the sum is 4.
    KernelCheck.Result result =
        KernelCheck.exact(
            new KernelCheck.Sizes(1, 1, 1, 3, 2),
            new float[] {1, 2, 3, 4},
            new float[] {1, 1, 1, 1, 1, 1, 1, 1, 1});
    assertThat(result.output()).containsExactly(10, 10, 10, 10);
    assertThat(result.gradient()).containsExactly(4, 4, 4, 4);
  }

  @Test
  void right_convolutions_should_not_be_spoken_of() {
    KernelCheck.run(KernelCheck::exact, log);
    assertThat(said).isEmpty();
  }

  @Test
  void wrong_gradient_of_a_batch_should_be_said_once() {
    KernelCheck.run(
        (sizes, input, weight) -> {
          KernelCheck.Result right = KernelCheck.exact(sizes, input, weight);
          if (sizes.batch() > 1) {
            right.gradient()[17] += 1;
          }
          return right;
        },
        log);
    assertThat(said)
        .singleElement()
        .asString()
        .contains("wrong gradients of convolutions", "batch=8", "ONEDNN_MAX_CPU_ISA");
  }

  @Test
  void not_a_number_should_be_wrong() {
    KernelCheck.run(
        (sizes, input, weight) -> {
          KernelCheck.Result right = KernelCheck.exact(sizes, input, weight);
          right.output()[0] = Float.NaN;
          return right;
        },
        log);
    assertThat(said).singleElement().asString().contains("wrong results");
  }
}
