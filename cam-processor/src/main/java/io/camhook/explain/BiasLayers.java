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
      // an operator of an inlined archive takes the parameters of a module
      boolean inlined = operator(module.path()) != null && module.parameters().isEmpty();
      if (names != null
          && (inlined
              || module.parameters().stream().anyMatch(p -> p.name().equals(names.bias())))) {
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

  /** Null for a layer that is not used. */
  private static @Nullable Names names(ModuleDescription module) {
    return switch (module.type().substring(module.type().lastIndexOf('.') + 1)) {
      case "Conv2d" -> Names.CONVOLUTION;
      case "BatchNorm2d" -> Names.TORCH;
      case "BatchNorm" -> Names.DJL;
      // operators of a frozen archive, in which a convolution has the bias of the batch norm too
      case "conv2d", "batch_norm", "_convolution", "convolution" -> operator(module.path());
      default -> null;
    };
  }

  private static @Nullable Names operator(String path) {
    return switch (path.replaceFirst("[#@].*", "")) {
      case "conv2d" -> Names.CONVOLUTION;
      case "batch_norm" -> Names.TORCH;
      default -> null;
    };
  }

  /** Whether the recorded value is a module's; {@code conv2d#3} is an operator, not a call. */
  private static boolean isOf(ModuleDescription module, LayerOutput layer) {
    boolean counted = operator(module.path()) != null && !module.path().contains("@");
    LayerOutput call = new LayerOutput(layer.path(), layer.call(), null);
    return counted ? call.toString().equals(module.path()) : layer.path().equals(module.path());
  }

  List<BiasGradient> gradients(List<Tensor> inputs, ModelSession.OutputGradients target) {
    ModelSession.Pass pass = session().run(inputs, target, false);
    Map<LayerOutput, Tensor> gradients = pass.gradients().get(0);
    List<BiasGradient> found = new ArrayList<>();
    for (ModuleDescription module : layers) {
      float[] bias = bias(module);
      if (bias == null) {
        continue;
      }
      gradients.forEach(
          (layer, gradient) -> {
            if (isOf(module, layer) && gradient.rank() == 4) {
              found.add(new BiasGradient(layer.toString(), bias, gradient));
            }
          });
    }
    if (found.isEmpty()) {
      throw noBias();
    }
    return found;
  }

  private static CamException noBias() {
    return new CamException(
        "fullgrad adds up biases, and this model has no Conv2d or BatchNorm2d with one");
  }

  private ModelSession session() {
    ModelSession open = session;
    if (open == null) {
      if (layers.isEmpty()) {
        throw noBias();
      }
      open = sides.open(layers.stream().map(ModuleDescription::path).toList());
      session = open;
    }
    return open;
  }

  /** What a layer adds to each channel; null if it adds nothing. */
  private float @Nullable [] bias(ModuleDescription module) {
    Names names = Objects.requireNonNull(names(module));
    float[] bias = parameter(module, names.bias());
    if (bias == null
        || names.weight() == null
        || names.mean() == null
        || names.variance() == null) {
      return bias;
    }
    float[] mean = Objects.requireNonNull(parameter(module, names.mean()));
    float[] variance = Objects.requireNonNull(parameter(module, names.variance()));
    float[] weight = Objects.requireNonNull(parameter(module, names.weight()));
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

  /** Null only for an operator. */
  private float @Nullable [] parameter(ModuleDescription module, String name) {
    String full = module.path().equals(".") ? name : module.path() + "." + name;
    try {
      Tensor values = session().parameter(full).orElse(null);
      if (values == null && operator(module.path()) == null) {
        throw new CamException("fullgrad: the model has no parameter " + full);
      }
      return values == null ? null : values.toFloats();
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
