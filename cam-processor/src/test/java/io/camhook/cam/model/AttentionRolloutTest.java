package io.camhook.cam.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.camhook.cam.CamException;
import io.camhook.cam.CamResult;
import io.camhook.cam.FloatMap;
import io.camhook.cam.Heatmaps;
import io.camhook.cam.targets.ScoreTarget;
import io.camhook.cam.targets.Targets;
import io.camhook.recording.Tensor;
import java.util.List;
import org.junit.jupiter.api.Test;

class AttentionRolloutTest {
  /** Two heads, whose mean is [[0.5, 0.5], [0, 1]]. */
  private static final Tensor FIRST =
      Tensor.ofFloats(new float[] {1, 0, 0, 1, 0, 1, 0, 1}, 1, 2, 2, 2);

  /** One head. */
  private static final Tensor SECOND = Tensor.ofFloats(new float[] {1, 0, 0.5f, 0.5f}, 1, 2, 2);

  /**
   * (A1 + I)/2 = [[0.75, 0.25], [0, 1]] and (A2 + I)/2 = [[1, 0], [0.25, 0.75]]; their product, the
   * last layer first, has the rows [0.75, 0.25] and 0.25·[0.75, 0.25] + 0.75·[0, 1] = [0.1875,
   * 0.8125].
   */
  @Test
  void rows_that_the_score_reads_should_be_traced_back() {
    assertThat(raw(true, false)).containsExactly(new float[] {0.75f, 0.25f}, within(1e-6f));
    assertThat(raw(true, true)).containsExactly(new float[] {0.46875f, 0.53125f}, within(1e-6f));
  }

  @Test
  void grid_of_a_picture_should_drop_the_class_token() {
    // Five tokens, the first of them the class token, over a picture of 8x8 in patches of 4.
    float[] even = new float[25];
    java.util.Arrays.fill(even, 0.2f);
    even[0] = 0;
    even[1] = 0.4f; // the class token looks at the first patch
    Attention attention =
        new Attention(
            5,
            List.of(Tensor.ofFloats(even, 1, 5, 5)),
            new boolean[] {true, false, false, false, false});
    CamResult result = explain(attention, Tensor.ofFloats(new float[192], 1, 3, 8, 8));
    FloatMap raw = result.raw().get("input");
    assertThat(raw.shape()).containsExactly(2, 2);
    // (A + I)/2: half of 0.4, and half of 0.2
    assertThat(raw.values()).containsExactly(new float[] {0.2f, 0.1f, 0.1f, 0.1f}, within(1e-6f));
    assertThat(result.heatmap().shape()).containsExactly(8, 8);
  }

  @Test
  void attention_over_other_tokens_should_be_refused() {
    Attention attention = new Attention(2, List.of(SECOND), new boolean[] {true, true});
    Tensor ids = Tensor.ofFloats(new float[] {1, 2, 3}, 1, 1, 3);
    assertThatThrownBy(() -> explain(attention, ids))
        .isInstanceOf(CamException.class)
        .hasMessageContaining("over 2 tokens")
        .hasMessageContaining("[1, 1, 3]");
  }

  private static float[] raw(boolean... reads) {
    Tensor ids = Tensor.ofFloats(new float[] {4, 7}, 1, 1, 2);
    return explain(new Attention(2, List.of(FIRST, SECOND), reads), ids)
        .raw()
        .get("input")
        .values();
  }

  private static CamResult explain(Attention attention, Tensor input) {
    ForwardModel model =
        new ForwardModel() {
          @Override
          public Tensor outputs(Tensor batch) {
            throw new UnsupportedOperationException();
          }

          @Override
          public Tensor outputsFrom(String path, Tensor activation, Tensor batch) {
            throw new UnsupportedOperationException();
          }

          @Override
          public Attention attention(ScoreTarget target) {
            return attention;
          }
        };
    ModelRun run = new ModelRun(model, input, Targets.logit(0), RunOptions.forInput(input));
    return new AttentionRollout().explain(run, List.of(), Heatmaps.standard());
  }
}
