package io.camhook.explain;

import io.camhook.engine.ModelSession;
import io.camhook.naming.ModuleDescription;
import io.camhook.recording.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The last linear layer of a model, whose rows weigh the channels in CAM (Zhou et al., 2016). */
final class ClassifierWeights {
  private final ModelSession session;
  private final @Nullable String name;
  private @Nullable Tensor weight;

  ClassifierWeights(ModelSession session, List<ModuleDescription> modules) {
    this.session = session;
    String last = null;
    for (ModuleDescription module : modules) {
      if (isLinear(module.type()) && module.callSites() > 0) {
        last = module.path().equals(".") ? "weight" : module.path() + ".weight";
      }
    }
    this.name = last;
  }

  /** A PyTorch module, or an ONNX operator. */
  private static boolean isLinear(String type) {
    return type.endsWith(".Linear")
        || type.equals("torch.linear")
        || type.equals("Gemm")
        || type.equals("MatMul");
  }

  /**
   * {@code [1,C]}: the rows weighted by ∂score/∂logits, which for a class's logit is its row.
   *
   * @return null unless the layer maps the activation's channels to the classes
   */
  @Nullable Tensor row(float[] derivative, Tensor activation) {
    Tensor matrix = weight();
    if (matrix == null || matrix.rank() != 2 || matrix.size(0) != derivative.length) {
      return null;
    }
    int channels = Math.toIntExact(matrix.size(1));
    if (Arrays.stream(activation.shape()).skip(1).noneMatch(size -> size == channels)) {
      return null;
    }
    float[] values = matrix.toFloats();
    float[] row = new float[channels];
    for (int k = 0; k < derivative.length; k++) {
      for (int c = 0; derivative[k] != 0 && c < channels; c++) {
        row[c] += derivative[k] * values[k * channels + c];
      }
    }
    return Tensor.ofFloats(row, 1, channels);
  }

  private @Nullable Tensor weight() {
    if (weight == null && name != null) {
      try {
        weight = session.parameter(name).orElse(null);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    return weight;
  }
}
