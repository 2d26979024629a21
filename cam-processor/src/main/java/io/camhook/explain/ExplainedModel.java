package io.camhook.explain;

import io.camhook.cam.CamException;
import io.camhook.cam.LayerTensors;
import io.camhook.cam.model.BackwardModel;
import io.camhook.cam.targets.ScoreTarget;
import io.camhook.engine.ModelSession;
import io.camhook.recording.DType;
import io.camhook.recording.LayerOutput;
import io.camhook.recording.Tensor;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** A session as the methods that run the model again see it: one input, the others kept. */
final class ExplainedModel implements BackwardModel {
  private static final Set<DType> FLOATING =
      EnumSet.of(DType.F16, DType.BF16, DType.F32, DType.F64);

  private final ModelSession session;
  private final BiasLayers biases;
  private final List<Tensor> inputs;

  ExplainedModel(ModelSession session, BiasLayers biases, List<Tensor> inputs) {
    this.session = session;
    this.biases = biases;
    this.inputs = inputs;
  }

  @Override
  public Tensor outputs(Tensor input) {
    return floats(first(session.outputs(with(input))));
  }

  @Override
  public Tensor outputsFrom(String path, Tensor activation, Tensor input) {
    try {
      return floats(first(session.outputsFrom(path, activation, with(input))));
    } catch (IllegalArgumentException e) {
      throw new CamException(String.valueOf(e.getMessage()));
    }
  }

  @Override
  public Optional<AffineHead> headOfMeans(String path) {
    try {
      String name = session.weightOfMeans(path).orElse(null);
      Tensor weight = name == null ? null : session.parameter(name).orElse(null);
      if (name == null || weight == null || weight.rank() != 2) {
        return Optional.empty();
      }
      String bias = name.substring(0, name.length() - "weight".length()) + "bias";
      Tensor none = Tensor.ofFloats(new float[(int) weight.size(0)], weight.size(0));
      return Optional.of(new AffineHead(weight, session.parameter(bias).orElse(none)));
    } catch (IOException e) {
      return Optional.empty(); // the model is run instead
    }
  }

  @Override
  public List<LayerTensors> layers(Tensor input, List<ScoreTarget> targets, List<String> paths) {
    ModelSession.Pass pass = session.run(with(input), gradients(targets), false);
    List<LayerTensors> layers = new ArrayList<>();
    for (String path : paths) {
      LayerOutput layer = LayerOutput.parse(path);
      Tensor activation = pass.activations().get(layer);
      if (activation == null) {
        throw new CamException("layer '%s' is not recorded in this session".formatted(path));
      }
      layers.add(LayerTensors.of(path, activation, pass.gradients().get(0).get(layer)));
    }
    return layers;
  }

  @Override
  public Tensor inputGradient(Tensor input, List<ScoreTarget> targets) {
    return session.inputGradient(with(input), 0, gradients(targets));
  }

  @Override
  public Tensor guidedInputGradient(Tensor input, List<ScoreTarget> targets) {
    try {
      return session.guidedInputGradient(with(input), 0, gradients(targets));
    } catch (IllegalArgumentException e) {
      throw new CamException(String.valueOf(e.getMessage()));
    }
  }

  @Override
  public Tensor hessianProduct(
      Tensor input, List<ScoreTarget> targets, String path, Tensor vector) {
    return session.hessianProduct(with(input), gradients(targets), path, vector);
  }

  @Override
  public List<BiasGradient> biasGradients(Tensor input, List<ScoreTarget> targets) {
    return biases.gradients(with(input), gradients(targets));
  }

  /** A pass for one sample and several targets. */
  ModelSession.Pass pass(List<Tensor> all, List<ScoreTarget> targets) {
    return session.run(
        all,
        output -> targets.stream().map(target -> seed(output, List.of(target))).toList(),
        false);
  }

  private List<Tensor> with(Tensor input) {
    List<Tensor> all = new ArrayList<>(inputs);
    all.set(0, input);
    long n = input.size(0);
    for (int i = 1; i < all.size(); i++) {
      all.set(i, repeated(all.get(i), n));
    }
    return all;
  }

  private static Tensor repeated(Tensor one, long n) {
    if (one.rank() == 0 || one.size(0) == n) {
      return one;
    }
    float[] values = one.toFloats();
    float[] all = new float[Math.toIntExact(values.length * n)];
    for (int i = 0; i < n; i++) {
      System.arraycopy(values, 0, all, i * values.length, values.length);
    }
    long[] shape = one.shape();
    shape[0] = n;
    return Tensor.ofFloats(all, shape);
  }

  private static ModelSession.OutputGradients gradients(List<ScoreTarget> targets) {
    return output -> List.of(seed(output, targets));
  }

  /** ∂Σ score/∂output, sample by sample. */
  static Tensor seed(Tensor output, List<ScoreTarget> targets) {
    float[] values = output.toFloats();
    int length = values.length / targets.size();
    float[] seed = new float[values.length];
    for (int i = 0; i < targets.size(); i++) {
      float[] row = Arrays.copyOfRange(values, i * length, (i + 1) * length);
      System.arraycopy(targets.get(i).gradientAtLogits(row), 0, seed, i * length, length);
    }
    return Tensor.ofFloats(seed, output.shape());
  }

  static Tensor first(List<Tensor> outputs) {
    for (Tensor output : outputs) {
      if (FLOATING.contains(output.dtype()) && output.rank() > 0) {
        return output;
      }
    }
    throw new CamException("the model returns no floating-point tensor, so there is no score");
  }

  private static Tensor floats(Tensor tensor) {
    return Tensor.ofFloats(tensor.toFloats(), tensor.shape());
  }
}
