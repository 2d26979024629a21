package io.camhook.cli;

import io.camhook.cam.CamResult;
import io.camhook.recording.Prediction;
import io.camhook.recording.Target;
import io.camhook.recording.Tensor;
import io.camhook.render.Picture;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One sample of a capture with its maps, as commands write and show it.
 *
 * @param name unique and safe as a file name
 * @param model label of the model
 * @param time when the pass began
 * @param picture the input picture, null if it was not recorded
 * @param logits {@code [K]}, null if the output was not recorded
 * @param predictions best first
 * @param targets targets of this sample, by n; a single one without a class if nothing was
 *     differentiated
 * @param maps the results
 * @param layers recorded layers, for channel maps and statistics
 * @param problems method id to the reason why it has no map here
 * @param extra further metadata
 * @param fed tensors of this sample that the report draws
 */
record Explanation(
    String name,
    String model,
    Instant time,
    @Nullable Picture picture,
    @Nullable Tensor logits,
    List<Prediction> predictions,
    List<Target> targets,
    List<Maps> maps,
    List<Layer> layers,
    Map<String, String> problems,
    Map<String, String> extra,
    Fed fed) {

  /**
   * Input and output without the batch dimension; null if not recorded or not drawn.
   *
   * @param input a signal {@code [C,L]} or a volume {@code [C,D,H,W]}
   * @param output scores of positions, {@code [K,H,W]}
   */
  record Fed(@Nullable Tensor input, @Nullable Tensor output) {
    static final Fed NOTHING = new Fed(null, null);

    /** Keeps what a report draws; a picture is recorded as one. */
    static Fed of(@Nullable Tensor input, @Nullable Tensor output) {
      return new Fed(
          input != null && (input.rank() == 2 || input.rank() == 4) ? input : null,
          output != null && output.rank() == 3 ? output : null);
    }
  }

  /**
   * The result of one method for one target.
   *
   * @param n number of the target
   * @param result maps by layer, and the heatmap
   */
  record Maps(int n, CamResult result) {
    /** {@code @1} for the second target and so on; nothing for the first. */
    String suffix() {
      return n == 0 ? "" : "@" + n;
    }
  }

  /**
   * A recorded layer of this sample, channels first.
   *
   * @param path layer output
   * @param spatial {@code [L]}, {@code [H,W]} or {@code [D,H,W]}; empty if it has no extent
   * @param activation {@code [C, P]}
   * @param gradients {@code [C, P]} by n; empty if none was recorded
   */
  record Layer(String path, int[] spatial, float[] activation, List<float[]> gradients) {}
}
