package io.camhook.explain;

import io.camhook.cam.CamException;
import io.camhook.cam.model.BackwardModel.BiasGradient;
import io.camhook.engine.ModelSession;
import io.camhook.naming.ModuleDescription;
import io.camhook.recording.LayerOutput;
import io.camhook.recording.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The two-dimensional convolutions and batch norms that add a bias. They have their own session,
 * which is opened on first use.
 */
final class BiasLayers implements AutoCloseable {
  private final MethodSessions sides;
  private final List<ModuleDescription> layers = new ArrayList<>();
  private @Nullable ModelSession session;

  BiasLayers(ModelSource source, MethodSessions sides) {
    this.sides = sides;
    for (ModuleDescription module : source.biased()) {
      Names names = names(module);
      if (names != null
          && module.parameters().stream().anyMatch(p -> p.name().equals(names.bias()))) {
        layers.add(module);
      }
    }
  }

  /** The names of a layer's parameters; only the first for a convolution. */
  private record Names(
      String bias, @Nullable String weight, @Nullable String mean, @Nullable String variance) {
    static final Names CONVOLUTION = new Names("bias", null, null, null);
    static final Names TORCH = new Names("bias", "weight", "running_mean", "running_var");
    static final Names DJL = new Names("beta", "gamma", "runningMean", "runningVar");
  }

  /** Null for a layer that takes no part. */
  private static @Nullable Names names(ModuleDescription module) {
    return switch (module.type().substring(module.type().lastIndexOf('.') + 1)) {
      case "Conv2d" -> Names.CONVOLUTION;
      case "BatchNorm2d" -> Names.TORCH;
      case "BatchNorm" -> Names.DJL;
      default -> null;
    };
  }

  List<BiasGradient> gradients(List<Tensor> inputs, ModelSession.OutputGradients target) {
    ModelSession.Pass pass = session().run(inputs, target, false);
    Map<LayerOutput, Tensor> gradients = pass.gradients().get(0);
    List<BiasGradient> found = new ArrayList<>();
    for (ModuleDescription module : layers) {
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
      open = sides.open(layers.stream().map(ModuleDescription::path).toList());
      session = open;
    }
    return open;
  }

  private float[] bias(ModuleDescription module) {
    Names names = Objects.requireNonNull(names(module));
    float[] bias = parameter(module, names.bias());
    if (names.weight() == null || names.mean() == null || names.variance() == null) {
      return bias;
    }
    float[] mean = parameter(module, names.mean());
    float[] variance = parameter(module, names.variance());
    float[] weight = parameter(module, names.weight());
    double epsilon = epsilon(module);
    float[] whole = new float[bias.length];
    for (int c = 0; c < whole.length; c++) {
      whole[c] = (float) (bias[c] - mean[c] * weight[c] / Math.sqrt(variance[c] + epsilon));
    }
    return whole;
  }

  private double epsilon(ModuleDescription batchNorm) {
    try {
      return sides.source().epsilon(batchNorm, session());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private float[] parameter(ModuleDescription module, String name) {
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
