package io.camhook.djl.session;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.engine.PtSymbolBlock;
import ai.djl.pytorch.jni.IValue;
import io.camhook.djl.archive.ScriptFile;
import io.camhook.djl.archive.ScriptModel;
import io.camhook.djl.autograd.AutogradGateway;
import io.camhook.djl.autograd.GradMode;
import io.camhook.djl.autograd.ModuleCalls;
import io.camhook.djl.autograd.Tensors;
import io.camhook.djl.pass.ModelPass;
import io.camhook.djl.pass.ScriptPass;
import io.camhook.engine.ModelSession;
import io.camhook.naming.ModuleDescription;
import io.camhook.recording.DType;
import io.camhook.recording.LayerOutput;
import io.camhook.recording.Tensor;
import io.camhook.torchscript.twin.TapPlan;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A TorchScript archive, loaded with taps at the layers that one caller asked for.
 *
 * <p>Passes that record run through the model's forward, as the application's do; all others
 * ({@link #outputs}, suffixes, gradients of inputs) call a method of the module directly. They are
 * not requests, so they are not sampled, captured or counted. Only global hooks see the recording
 * passes, each as one call of the model.
 */
public final class ScriptSession implements ModelSession {
  /**
   * Passes with and without gradients share methods of modules, and one that the JIT has
   * specialised for gradients fails on the tensors of inference mode.
   */
  private static final boolean NO_INFERENCE_MODE = true;

  private final ScriptFile file;
  private final TapPlan plan;
  private final PtSymbolBlock module;

  private final SessionUse use = new SessionUse();

  /** Layers whose values have a type that DJL does not know; on the heap they are float32. */
  private final Set<String> unknownTypes = new HashSet<>();

  /** Notices from runs. */
  private final Set<String> notices = new LinkedHashSet<>();

  /** Loaded on first use. */
  private @Nullable GuidedScript guided;

  /**
   * Loads the archive; the instrumented copy exists only until it is loaded.
   *
   * @param file is closed with the session, also if it fails
   * @throws IOException if the layers cannot be recorded, with the reason
   */
  public ScriptSession(ScriptFile file, Collection<String> paths) throws IOException {
    this.file = file;
    try {
      ScriptModel model = ScriptModel.of(file.archive(), paths);
      Path copy = Objects.requireNonNull(model.file());
      try {
        this.plan = Objects.requireNonNull(model.plan());
        this.module = file.load(copy);
      } finally {
        Files.deleteIfExists(copy);
      }
    } catch (Throwable e) {
      file.close();
      throw e;
    }
  }

  @Override
  public void use(Use wanted) {
    use.set(wanted);
  }

  @Override
  public List<String> outputNames() {
    return use.outputNames();
  }

  @Override
  public Pass run(List<Tensor> inputs, @Nullable OutputGradients targets, boolean onlyLayers) {
    boolean autograd = targets != null;
    String method = autograd ? plan.forwardMethod() : recording(onlyLayers);
    try (PtNDManager scratch = file.scratch();
        GradMode mode = new GradMode(false);
        ModelPass pass = pass(method, autograd, scratch)) {
      SessionPass watched = new SessionPass(pass, Map.of());
      NDList outputs = forward(watched, inputs, scratch);
      pass.recorded()
          .forEach(
              (layer, tap) -> {
                if (Tensors.isUnknown(tap)) {
                  unknownTypes.add(layer.toString());
                }
              });
      return watched.onHeap(outputs, targets, use, scratch, notices);
    }
  }

  private ScriptPass pass(String method, boolean gradients, PtNDManager scratch) {
    return ScriptPass.inSession(scratch, gradients, plan, method, ScriptValues::arrays);
  }

  /** Runs the model in the same way as the application, if the engine is woven. */
  private NDList forward(SessionPass pass, List<Tensor> inputs, PtNDManager scratch) {
    NDList arrays = use.arrays(inputs, scratch);
    return file.isWoven()
        ? pass.forward(module, arrays, scratch)
        : Objects.requireNonNull(pass.run(module, arrays, false), "the model's own method was run");
  }

  /** The root has returned only when the whole model has. */
  private String recording(boolean onlyLayers) {
    boolean root = plan.taps().stream().anyMatch(tap -> tap.path().equals("."));
    return onlyLayers && !root ? plan.untilMethod() : plan.recordMethod();
  }

  @Override
  public List<Tensor> outputs(List<Tensor> inputs) {
    return call("forward", inputs);
  }

  private List<Tensor> call(String method, List<Tensor> inputs) {
    try (PtNDManager scratch = file.scratch()) {
      return call(method, use.arrays(inputs, scratch), scratch);
    }
  }

  private List<Tensor> call(String method, NDList inputs, PtNDManager scratch) {
    try (GradMode mode = new GradMode(false);
        IValue all = ModuleCalls.run(module, method, inputs, NO_INFERENCE_MODE)) {
      return use.outputs(ScriptValues.arrays(all, scratch), scratch);
    }
  }

  @Override
  public List<Tensor> outputsFrom(String path, Tensor activation, List<Tensor> inputs) {
    try (PtNDManager scratch = file.scratch()) {
      return call(from(path), replacing(path, activation, inputs, scratch), scratch);
    }
  }

  @Override
  public Optional<String> weightOfMeans(String path) {
    boolean only = plan.taps().size() == 1 && plan.taps().get(0).path().equals(path);
    return only ? Optional.ofNullable(plan.averagedWeight()) : Optional.empty();
  }

  @Override
  public Tensor gradientFrom(
      String path, Tensor activation, List<Tensor> inputs, OutputGradients target) {
    try (PtNDManager scratch = file.scratch();
        GradMode mode = new GradMode(true)) {
      NDList arrays = replacing(path, activation, inputs, scratch);
      return gradient(from(path), arrays, arrays.get(0), target, scratch);
    }
  }

  /** The method that runs the model with a given result of a layer. */
  private String from(String path) {
    return plan.resumeMethod(path)
        .or(() -> plan.replaceMethod(path))
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "layer '%s' cannot be replaced: this TorchScript model calls it from several places or in a loop, or its result is not a tensor; choose another layer"
                        .formatted(path)));
  }

  /** The arguments of that method. */
  private NDList replacing(
      String path, Tensor activation, List<Tensor> inputs, PtNDManager scratch) {
    NDArray value = Tensors.toArray(activation, scratch);
    NDList all = new NDList(unknownTypes.contains(path) ? Tensors.toBfloat16(value) : value);
    if (plan.resumeMethod(path).isEmpty()) {
      use.arrays(inputs, scratch).forEach(input -> all.add(repeated(input, activation.size(0))));
    }
    return all;
  }

  /** The input of one sample, repeated for {@code n} samples. */
  private static NDArray repeated(NDArray input, long n) {
    if (input.getShape().dimension() == 0 || input.getShape().get(0) != 1) {
      return input;
    }
    long[] times = new long[input.getShape().dimension()];
    Arrays.fill(times, 1);
    times[0] = n;
    NDArray tiled = input.tile(times);
    tiled.setName(input.getName());
    return tiled;
  }

  @Override
  public Tensor inputGradient(List<Tensor> inputs, int index, OutputGradients target) {
    try (PtNDManager scratch = file.scratch();
        GradMode mode = new GradMode(true)) {
      NDList arrays = use.arrays(inputs, scratch);
      return gradient("forward", arrays, arrays.get(index), target, scratch);
    }
  }

  private Tensor gradient(
      String method, NDList arrays, NDArray leaf, OutputGradients target, PtNDManager scratch) {
    leaf.setRequiresGradient(true);
    try (IValue all = ModuleCalls.run(module, method, arrays, true)) {
      NDArray output = use.scored(ScriptValues.arrays(all, scratch));
      Tensor seed = target.at(SessionTensors.toTensor(output, scratch)).get(0);
      NDArray gradient = SessionTensors.grad(output, List.of(leaf), seed, scratch).get(0);
      return gradient == null
          ? SessionTensors.zeros(leaf)
          : SessionTensors.toTensor(gradient, scratch);
    }
  }

  @Override
  public Tensor guidedInputGradient(List<Tensor> inputs, int index, OutputGradients target) {
    if (guided == null) {
      try {
        guided = GuidedScript.load(file);
      } catch (IOException e) {
        throw new IllegalArgumentException(e.getMessage(), e);
      }
    }
    return guided.inputGradient(inputs, index, target, use);
  }

  @Override
  public Tensor hessianProduct(
      List<Tensor> inputs, OutputGradients target, String path, Tensor vector) {
    try (PtNDManager scratch = file.scratch();
        GradMode mode = new GradMode(false);
        ModelPass pass = pass(plan.forwardMethod(), true, scratch)) {
      NDList outputs = forward(new SessionPass(pass, Map.of()), inputs, scratch);
      NDArray tap = pass.node(LayerOutput.parse(path));
      NDArray output = use.scored(outputs);
      Tensor seed = target.at(SessionTensors.toTensor(output, scratch)).get(0);
      NDArray product =
          AutogradGateway.instance()
              .hessianProduct(
                  scratch,
                  output,
                  tap,
                  Tensors.inTypeOf(output, Tensors.toArray(seed, scratch), scratch),
                  Tensors.inTypeOf(tap, Tensors.toArray(vector, scratch), scratch));
      return SessionTensors.toTensor(product, scratch);
    }
  }

  @Override
  public Optional<Tensor> parameter(String name) throws IOException {
    String held = file.archive().held(name);
    int dot = held.lastIndexOf('.');
    String path = dot < 0 ? "." : held.substring(0, dot);
    String attribute = held.substring(dot + 1);
    for (ModuleDescription module : file.archive().modules()) {
      if (module.path().equals(path)) {
        for (ModuleDescription.Parameter parameter : module.parameters()) {
          if (parameter.name().equals(attribute)) {
            long[] shape = parameter.shape().stream().mapToLong(Long::longValue).toArray();
            DType dtype = DType.valueOf(parameter.dtype());
            return file.archive()
                .values(path, attribute)
                .map(bytes -> new Tensor(dtype, shape, bytes));
          }
        }
      }
    }
    return Optional.empty();
  }

  @Override
  public List<String> notices() {
    List<String> all = new ArrayList<>(plan.notices());
    all.addAll(notices);
    return all;
  }

  @Override
  public void close() {
    file.close();
  }
}
