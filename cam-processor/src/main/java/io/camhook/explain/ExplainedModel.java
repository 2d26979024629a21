package io.camhook.explain;

import ai.djl.engine.EngineException;
import io.camhook.cam.CamException;
import io.camhook.cam.LayerTensors;
import io.camhook.cam.model.Attention;
import io.camhook.cam.model.BackwardModel;
import io.camhook.cam.targets.Boxes;
import io.camhook.cam.targets.Detection;
import io.camhook.cam.targets.ScoreTarget;
import io.camhook.engine.ModelSession;
import io.camhook.ort.OrtRunException;
import io.camhook.recording.LayerOutput;
import io.camhook.recording.Tensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A session in the form needed by the methods that run the model again: one input in the form that
 * methods take, and the others fixed.
 */
final class ExplainedModel implements BackwardModel {
  private final ModelSession session;
  private final MethodSessions sides;
  private final List<Tensor> inputs;
  private final int index;
  private final InputForm form;
  private final BatchLimit limit;
  private final Boxes.@Nullable Format boxes;

  /**
   * @param inputs as the model is fed
   * @param index the changed one
   * @param form its form in memory
   */
  ExplainedModel(
      ModelSession session,
      MethodSessions sides,
      List<Tensor> inputs,
      int index,
      InputForm form,
      BatchLimit limit,
      Boxes.@Nullable Format boxes) {
    this.session = session;
    this.sides = sides;
    this.inputs = inputs;
    this.index = index;
    this.form = form;
    this.limit = limit;
    this.boxes = boxes;
  }

  /** The input that is changed, as methods see it. */
  Tensor input() {
    return form.forMethods(inputs.get(index));
  }

  @Override
  public boolean takesIntegers() {
    return form.isInteger();
  }

  @Override
  public Tensor outputs(Tensor input) {
    return batched(input, batch -> first(session.outputs(with(batch))));
  }

  @Override
  public Tensor outputsFrom(String path, Tensor activation, Tensor input) {
    return explained(
        () ->
            batched(
                activation,
                batch -> first(session.outputsFrom(path, batch.to(type(path)), with(input)))));
  }

  /** The engine's own type of a layer's output, which methods have as float32. */
  private io.camhook.recording.DType type(String path) {
    return sides.type(path);
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
    return form.forMethods(
        batched(
            input,
            targets,
            (batch, some) -> session.inputGradient(with(batch), index, gradients(some))));
  }

  @Override
  public Tensor guidedInputGradient(Tensor input, List<ScoreTarget> targets) {
    return explained(
        () -> form.forMethods(session.guidedInputGradient(with(input), index, gradients(targets))));
  }

  @Override
  public Tensor hessianProduct(
      Tensor input, List<ScoreTarget> targets, String path, Tensor vector) {
    return session.hessianProduct(with(input), gradients(targets), path, vector);
  }

  @Override
  public List<BiasGradient> biasGradients(Tensor input, List<ScoreTarget> targets) {
    return sides.biases().gradients(with(input), gradients(targets));
  }

  @Override
  public Tensor embedding() {
    return sides.embedding().of(inputs, index);
  }

  @Override
  public Tensor outputsOfEmbedding(Tensor embedding) {
    return explained(() -> floats(first(sides.embedding().outputs(embedding, inputs))));
  }

  @Override
  public Tensor embeddingGradient(Tensor embedding, List<ScoreTarget> targets) {
    return explained(
        () ->
            batched(
                embedding,
                targets,
                (batch, some) ->
                    sides
                        .embedding()
                        .gradient(batch, repeatedTo(inputs, batch.size(0)), gradients(some))));
  }

  @Override
  public Attention attention(ScoreTarget target) {
    return sides.attention().of(inputs, gradients(List.of(target)));
  }

  /** One picture at a time: outputs of several tensors need not have a batch. */
  @Override
  public List<List<Detection>> detections(Tensor batch) {
    List<List<Detection>> found = new ArrayList<>();
    int size = Math.toIntExact(batch.byteSize() / batch.size(0));
    long[] shape = batch.shape();
    shape[0] = 1;
    for (int i = 0; i < batch.size(0); i++) {
      Tensor one = new Tensor(batch.dtype(), shape, batch.data().slice(i * size, size));
      found.add(DetectorOutputs.read(session.outputs(with(one)), boxes));
    }
    return found;
  }

  /** A pass for one sample and several targets. */
  ModelSession.Pass pass(List<Tensor> all, List<ScoreTarget> targets) {
    return session.run(
        all,
        output -> targets.stream().map(target -> seed(output, List.of(target))).toList(),
        false);
  }

  private interface Differentiated {
    Tensor at(Tensor batch, List<ScoreTarget> targets);
  }

  private Tensor batched(Tensor batch, Function<Tensor, Tensor> runner) {
    return batched(batch, List.of(), (part, targets) -> runner.apply(part));
  }

  /** Runs a batch, or its samples one by one if the model takes only one at a time. */
  private Tensor batched(Tensor batch, List<ScoreTarget> targets, Differentiated runner) {
    int n = (int) batch.size(0);
    if (n > 1 && !limit.isOne()) {
      RuntimeException why;
      try {
        Tensor whole = runner.at(batch, targets);
        if (whole.rank() > 0 && whole.size(0) == n) {
          return floats(whole);
        }
        why = null;
      } catch (EngineException | OrtRunException e) {
        why = e;
      } catch (BatchLimit.Exceeded e) {
        why = null;
      }
      Tensor alone;
      try {
        alone = one(batch, targets, 0, runner);
      } catch (EngineException | OrtRunException e) {
        throw why == null ? e : why;
      }
      limit.setOne();
      return joined(batch, targets, runner, alone);
    }
    return n > 1
        ? joined(batch, targets, runner, one(batch, targets, 0, runner))
        : floats(runner.at(batch, targets));
  }

  private static Tensor joined(
      Tensor batch, List<ScoreTarget> targets, Differentiated runner, Tensor first) {
    int n = (int) batch.size(0);
    float[] head = first.toFloats();
    float[] all = Arrays.copyOf(head, Math.multiplyExact(head.length, n));
    for (int i = 1; i < n; i++) {
      System.arraycopy(
          one(batch, targets, i, runner).toFloats(), 0, all, i * head.length, head.length);
    }
    long[] shape = first.shape();
    shape[0] = n;
    return Tensor.ofFloats(all, shape);
  }

  private static Tensor one(Tensor batch, List<ScoreTarget> targets, int i, Differentiated runner) {
    long[] shape = batch.shape();
    shape[0] = 1;
    int bytes = Math.toIntExact(batch.byteSize() / batch.size(0));
    Tensor row = new Tensor(batch.dtype(), shape, batch.data().slice(i * bytes, bytes));
    return runner.at(row, targets.isEmpty() ? targets : targets.subList(i, i + 1));
  }

  private interface Work {
    Tensor run();
  }

  /** Reports a session's refusal as the method's failure. */
  private static Tensor explained(Work work) {
    try {
      return work.run();
    } catch (IllegalArgumentException e) {
      throw new CamException(String.valueOf(e.getMessage()));
    }
  }

  private List<Tensor> with(Tensor input) {
    List<Tensor> all = new ArrayList<>(repeatedTo(inputs, input.size(0)));
    all.set(index, form.forModel(input));
    return all;
  }

  /** The inputs for one sample as those for {@code n}, each in its own type. */
  private static List<Tensor> repeatedTo(List<Tensor> inputs, long n) {
    return inputs.stream().map(input -> repeated(input, n)).toList();
  }

  private static Tensor repeated(Tensor one, long n) {
    if (one.rank() == 0 || one.size(0) != 1 || n == 1) {
      return one;
    }
    ByteBuffer all = ByteBuffer.allocate(Math.toIntExact(one.byteSize() * n));
    for (int i = 0; i < n; i++) {
      all.put(one.data());
    }
    long[] shape = one.shape();
    shape[0] = n;
    return new Tensor(one.dtype(), shape, all.flip());
  }

  private static ModelSession.OutputGradients gradients(List<ScoreTarget> targets) {
    return output -> {
      if (targets.size() > 1 && (output.rank() == 0 || output.size(0) != targets.size())) {
        throw new BatchLimit.Exceeded();
      }
      return List.of(seed(output, targets));
    };
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
      if (InputForm.isFloating(output) && output.rank() > 0) {
        return output;
      }
    }
    throw new CamException("the model returns no floating-point tensor, so there is no score");
  }

  private static Tensor floats(Tensor tensor) {
    return Tensor.ofFloats(tensor.toFloats(), tensor.shape());
  }
}
