package io.camhook.explain;

import io.camhook.cam.CamException;
import io.camhook.cam.model.BackwardModel.BiasGradient;
import io.camhook.recording.LayerOutput;
import io.camhook.recording.Tensor;
import io.camhook.spi.ModelSession;
import io.camhook.torchscript.ModuleInfo;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The convolutions and batch norms over two dimensions that add a bias, in a session of their own,
 * which is opened when they are first asked for.
 */
final class BiasLayers implements AutoCloseable {
  private final ModelListing listing;
  private final List<ModuleInfo> layers = new ArrayList<>();
  private @Nullable ModelSession session;
  private double epsilon;

  BiasLayers(ModelListing listing) {
    this.listing = listing;
    for (ModuleInfo module : LayerSelection.called(listing)) {
      boolean biased = module.parameters().stream().anyMatch(p -> p.name().equals("bias"));
      if (biased && (isBatchNorm(module) || module.type().endsWith(".Conv2d"))) {
        layers.add(module);
      }
    }
  }

  private static boolean isBatchNorm(ModuleInfo module) {
    return module.type().endsWith(".BatchNorm2d");
  }

  List<BiasGradient> gradients(List<Tensor> inputs, ModelSession.OutputGradients target) {
    ModelSession.Pass pass = session().run(inputs, target, false);
    Map<LayerOutput, Tensor> gradients = pass.gradients().get(0);
    List<BiasGradient> found = new ArrayList<>();
    for (ModuleInfo module : layers) {
      float[] bias = bias(module);
      gradients.forEach(
          (layer, gradient) -> {
            if (layer.path().equals(module.path()) && gradient.rank() == 4) {
              found.add(new BiasGradient(layer.toString(), bias, gradient));
            }
          });
    }
    return found;
  }

  private ModelSession session() {
    ModelSession open = session;
    if (open == null) {
      if (layers.isEmpty()) {
        throw new CamException(
            "fullgrad adds up biases, and this model has no Conv2d or BatchNorm2d with one");
      }
      try {
        epsilon = BatchNormEpsilon.of(listing.model());
        open =
            ExplainEngine.adapter()
                .open(listing.model(), layers.stream().map(ModuleInfo::path).toList());
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      session = open;
    }
    return open;
  }

  private float[] bias(ModuleInfo module) {
    float[] bias = parameter(module, "bias");
    if (!isBatchNorm(module)) {
      return bias;
    }
    float[] mean = parameter(module, "running_mean");
    float[] variance = parameter(module, "running_var");
    float[] weight = parameter(module, "weight");
    float[] whole = new float[bias.length];
    for (int c = 0; c < whole.length; c++) {
      whole[c] = (float) (bias[c] - mean[c] * weight[c] / Math.sqrt(variance[c] + epsilon));
    }
    return whole;
  }

  private float[] parameter(ModuleInfo module, String name) {
    String full = module.path().equals(".") ? name : module.path() + "." + name;
    try {
      return session()
          .parameter(full)
          .orElseThrow(() -> new CamException("fullgrad: the model has no parameter " + full))
          .toFloats();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    if (session != null) {
      session.close();
      session = null;
    }
  }
}
