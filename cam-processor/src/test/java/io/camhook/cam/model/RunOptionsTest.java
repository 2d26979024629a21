package io.camhook.cam.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.camhook.cam.targets.Targets;
import io.camhook.recording.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import org.junit.jupiter.api.Test;

class RunOptionsTest {
  private static final Tensor INPUT = Tensor.ofFloats(new float[4], 1, 1, 2, 2);

  @Test
  void default_batch_should_bound_its_inputs_to_32_mebibytes() {
    // 3 x 512 x 512 floats are 3 MiB: ten fit
    assertThat(RunOptions.forInput(Tensor.ofFloats(new float[3 << 18], 1, 3, 512, 512)).batch())
        .isEqualTo(10);
    // 3 x 2048 x 2048 floats are 48 MiB: one at a time
    assertThat(RunOptions.forInput(Tensor.ofFloats(new float[3 << 22], 1, 3, 2048, 2048)).batch())
        .isEqualTo(1);
    assertThat(RunOptions.forInput(INPUT).batch()).isEqualTo(64);
  }

  @Test
  void progress_should_be_told_after_every_batch() {
    List<String> told = new ArrayList<>();
    RunOptions options =
        RunOptions.forInput(INPUT)
            .withBatch(2)
            .withProgress((method, done, total) -> told.add(method + " " + done + "/" + total));
    run(options).scoresOfInputs("scorecam", 5, (i, batch, offset) -> {});
    assertThat(told).containsExactly("scorecam 2/5", "scorecam 4/5", "scorecam 5/5");
  }

  @Test
  void cancellation_should_stop_before_the_next_batch() {
    List<Integer> done = new ArrayList<>();
    RunOptions options =
        RunOptions.forInput(INPUT)
            .withBatch(2)
            .withProgress((method, at, total) -> done.add(at))
            .withCancellation(() -> done.size() == 1);
    assertThatThrownBy(() -> run(options).scoresOfInputs("rise", 5, (i, batch, offset) -> {}))
        .isInstanceOf(CancellationException.class)
        .hasMessage("rise was cancelled");
    assertThat(done).containsExactly(2);
  }

  private static ModelRun run(RunOptions options) {
    ForwardModel same =
        new ForwardModel() {
          @Override
          public Tensor outputs(Tensor input) {
            return input;
          }

          @Override
          public Tensor outputsFrom(String path, Tensor activation, Tensor input) {
            return activation;
          }
        };
    return new ModelRun(same, INPUT, Targets.logit(0), options);
  }
}
