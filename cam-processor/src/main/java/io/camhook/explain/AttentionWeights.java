package io.camhook.explain;

import io.camhook.cam.CamException;
import io.camhook.cam.model.Attention;
import io.camhook.engine.ModelSession;
import io.camhook.recording.LayerOutput;
import io.camhook.recording.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The attention weights of a transformer, if its code computes them as values: softmax results with
 * one row and one column per token. They have their own session, which is opened on first use.
 */
final class AttentionWeights implements AutoCloseable {
  private static final String REMEDY =
      "; use hirescam at the embedding, integrated-gradients or occlusion, or export the model with"
          + " attention as plain operators (attn_implementation=\"eager\" in Hugging Face's"
          + " transformers)";

  private final ModelSource source;
  private final MethodSessions sides;
  private @Nullable ModelSession session;

  AttentionWeights(ModelSource source, MethodSessions sides) {
    this.source = source;
    this.sides = sides;
  }

  /**
   * The weights of one pass.
   *
   * @throws CamException if the code has no such values, with the reason
   */
  Attention of(List<Tensor> inputs, ModelSession.OutputGradients target) {
    ModelSession.Pass pass = session().run(inputs, target, false);
    List<LayerOutput> layers = new ArrayList<>();
    List<Tensor> weights = new ArrayList<>();
    int tokens = 0;
    for (Map.Entry<LayerOutput, Tensor> each : pass.activations().entrySet()) {
      Tensor value = each.getValue();
      int rank = value.rank();
      boolean square = rank >= 3 && value.size(rank - 1) == value.size(rank - 2);
      boolean whole = rank == 3 || rank == 4 && value.size(0) == 1; // no windows
      if (square && whole && value.size(rank - 1) > 1) {
        int size = Math.toIntExact(value.size(rank - 1));
        if (tokens != 0 && tokens != size) {
          throw none("its layers attend over different numbers of tokens");
        }
        tokens = size;
        layers.add(each.getKey());
        weights.add(value);
      }
    }
    if (weights.isEmpty()) {
      throw none("no softmax in its code gives a weight for every pair of tokens");
    }
    Tensor gradient = pass.gradients().get(0).get(layers.get(layers.size() - 1));
    return new Attention(tokens, weights, reads(gradient, tokens));
  }

  /** Rows that the score does not depend on have no gradient. */
  private static boolean[] reads(@Nullable Tensor gradient, int tokens) {
    boolean[] reads = new boolean[tokens];
    boolean any = false;
    float[] values = gradient == null ? new float[0] : gradient.toFloats();
    for (int i = 0; i < values.length; i++) {
      if (values[i] != 0) {
        reads[i / tokens % tokens] = true;
        any = true;
      }
    }
    if (!any) {
      java.util.Arrays.fill(reads, true);
    }
    return reads;
  }

  private ModelSession session() {
    ModelSession open = session;
    if (open == null) {
      List<String> values = source.valuesOf("softmax");
      if (values.isEmpty()) {
        List<String> fused = new ArrayList<>(source.valuesOf("scaled_dot_product_attention"));
        fused.addAll(source.valuesOf("_native_multi_head_attention"));
        fused.addAll(source.valuesOf("multi_head_attention_forward"));
        throw none(
            fused.isEmpty()
                ? "its code has no softmax over tokens"
                : "its attention is one fused operator (%s), whose weights are not a value in the code"
                    .formatted(fused.get(0)));
      }
      open = sides.open(values);
      session = open;
    }
    return open;
  }

  private CamException none(String why) {
    return new CamException(
        "attention-rollout needs the attention weights of the model, and " + why + REMEDY);
  }

  @Override
  public void close() {
    if (session != null) {
      session.close();
      session = null;
    }
  }
}
