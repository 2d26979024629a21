package io.camhook.djl.session;

import ai.djl.engine.Engine;
import ai.djl.engine.EngineException;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.nn.norm.BatchNorm;
import io.camhook.djl.autograd.AutogradGateway;
import io.camhook.djl.autograd.GradMode;
import io.camhook.djl.autograd.Tensors;
import io.camhook.djl.model.BlockListing;
import io.camhook.djl.model.BlockTree;
import io.camhook.djl.pass.BlockPass;
import io.camhook.djl.pass.ModelPass;
import io.camhook.engine.ModelSession;
import io.camhook.recording.LayerOutput;
import io.camhook.recording.Tensor;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.util.Collection;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A session over one of the application's models of Java blocks. Its passes are watched on the
 * calling thread only, so that other threads may keep predicting with the same blocks; parameters
 * are read and never changed, nor is their {@code .grad}.
 */
public final class BlockSession implements ModelSession {
  /** A scalar of a batch norm that is not among its parameters. */
  private static final String EPSILON = "epsilon";

  private final Block root;
  private final Map<Block, String> layers = new IdentityHashMap<>();
  private final Map<String, Block> blocks = new LinkedHashMap<>();
  private final NDManager manager;

  private final SessionUse use = new SessionUse();

  /** Notices from runs. */
  private final Set<String> notices = new LinkedHashSet<>();

  /**
   * @param paths as in {@link BlockListing}
   */
  public BlockSession(Block root, Collection<String> paths) {
    this.root = root;
    for (BlockTree.Module module : BlockTree.of(root)) {
      blocks.putIfAbsent(module.path().toString(), module.block());
    }
    for (String path : paths) {
      layers.putIfAbsent(block(path), path);
    }
    this.manager = Engine.getEngine("PyTorch").newBaseManager();
    manager.setName("camhook session");
  }

  private Block block(String path) {
    Block block = blocks.get(path);
    if (block == null) {
      throw new IllegalArgumentException(
          "no module '%s' in %s".formatted(path, root.getClass().getSimpleName()));
    }
    return block;
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
    try (NDManager scratch = manager.newSubManager();
        GradMode mode = new GradMode(false);
        ModelPass pass = new BlockPass(scratch, targets != null, true)) {
      SessionPass watched = new SessionPass(pass, layers);
      NDList outputs = watched.forward(root, SessionTensors.arrays(inputs, scratch), scratch);
      return watched.onHeap(outputs, targets, use, scratch, notices);
    }
  }

  @Override
  public List<Tensor> outputs(List<Tensor> inputs) {
    try (NDManager scratch = manager.newSubManager();
        GradMode mode = new GradMode(false)) {
      NDList outputs =
          SessionPass.plain(scratch).forward(root, SessionTensors.arrays(inputs, scratch), scratch);
      return use.outputs(outputs, scratch);
    }
  }

  /**
   * The model runs for one input up to the layer, and for the whole batch after it. If the two
   * cannot be combined (data bypasses the layer and is concatenated later), it runs for the whole
   * batch from the start.
   */
  @Override
  public List<Tensor> outputsFrom(String path, Tensor activation, List<Tensor> inputs) {
    LayerOutput layer = LayerOutput.parse(path);
    long batch = activation.size(0);
    try {
      List<Tensor> outputs = replaced(layer, activation, batchOf(1, inputs));
      if (outputs.stream().allMatch(o -> o.rank() > 0 && o.size(0) == batch)) {
        return outputs;
      }
    } catch (EngineException e) {
      // as below
    }
    return replaced(layer, activation, batchOf(batch, inputs));
  }

  /** The first sample of each input, {@code batch} times. */
  private static List<Tensor> batchOf(long batch, List<Tensor> inputs) {
    return inputs.stream().map(input -> input.rank() == 0 ? input : batchOf(batch, input)).toList();
  }

  private static Tensor batchOf(long batch, Tensor input) {
    long[] shape = input.shape();
    int bytes = Math.toIntExact(input.byteSize() / shape[0]);
    shape[0] = batch;
    ByteBuffer one = input.data().slice(0, bytes);
    ByteBuffer all = ByteBuffer.allocate(Math.toIntExact(bytes * batch));
    while (all.hasRemaining()) {
      all.put(one.duplicate());
    }
    return new Tensor(input.dtype(), shape, all.flip());
  }

  private List<Tensor> replaced(LayerOutput layer, Tensor activation, List<Tensor> inputs) {
    try (NDManager scratch = manager.newSubManager();
        GradMode mode = new GradMode(false)) {
      LayerReplacement replacement =
          new LayerReplacement(block(layer.path()), layer, Tensors.toArray(activation, scratch));
      NDList outputs = replacement.forward(root, SessionTensors.arrays(inputs, scratch), scratch);
      if (!replacement.happened()) {
        throw new IllegalArgumentException("layer '%s' was not called".formatted(layer));
      }
      return use.outputs(outputs, scratch);
    }
  }

  @Override
  public Tensor inputGradient(List<Tensor> inputs, int index, OutputGradients target) {
    try (NDManager scratch = manager.newSubManager();
        GradMode mode = new GradMode(true)) {
      NDList arrays = SessionTensors.arrays(inputs, scratch);
      NDArray input = arrays.get(index);
      input.setRequiresGradient(true);
      NDArray output = use.scored(SessionPass.plain(scratch).forward(root, arrays, scratch));
      Tensor seed = target.at(SessionTensors.toTensor(output, scratch)).get(0);
      NDArray gradient = SessionTensors.grad(output, List.of(input), seed, scratch).get(0);
      return SessionTensors.toTensor(gradient == null ? input.zerosLike() : gradient, scratch);
    }
  }

  @Override
  public Tensor guidedInputGradient(List<Tensor> inputs, int index, OutputGradients target) {
    try (NDManager scratch = manager.newSubManager();
        GradMode mode = new GradMode(true)) {
      NDList arrays = SessionTensors.arrays(inputs, scratch);
      NDArray input = arrays.get(index);
      input.setRequiresGradient(true);
      ReluCuts relus = new ReluCuts(scratch);
      NDArray output = use.scored(relus.forward(root, arrays, scratch));
      if (relus.cuts().isEmpty()) {
        throw new IllegalArgumentException(
            "guided backpropagation needs ReLU blocks (Activation.reluBlock()), and none ran");
      }
      Tensor seed = target.at(SessionTensors.toTensor(output, scratch)).get(0);
      NDArray gradient =
          GuidedBackward.run(output, Tensors.toArray(seed, scratch), relus.cuts(), input, scratch);
      return SessionTensors.toTensor(gradient == null ? input.zerosLike() : gradient, scratch);
    }
  }

  @Override
  public Tensor hessianProduct(
      List<Tensor> inputs, OutputGradients target, String path, Tensor vector) {
    try (NDManager scratch = manager.newSubManager();
        GradMode mode = new GradMode(false);
        ModelPass pass = new BlockPass(scratch, true, true)) {
      NDList arrays = SessionTensors.arrays(inputs, scratch);
      NDArray output = use.scored(new SessionPass(pass, layers).forward(root, arrays, scratch));
      NDArray tap = pass.node(LayerOutput.parse(path));
      Tensor seed = target.at(SessionTensors.toTensor(output, scratch)).get(0);
      NDArray product =
          AutogradGateway.instance()
              .hessianProduct(
                  scratch,
                  output,
                  tap,
                  Tensors.toArray(seed, scratch),
                  Tensors.toArray(vector, scratch));
      return SessionTensors.toTensor(product, scratch);
    }
  }

  /** Also {@code PATH.epsilon} of a batch norm, a scalar. */
  @Override
  public Optional<Tensor> parameter(String name) {
    int dot = name.lastIndexOf('.');
    Block block = blocks.get(dot < 0 ? "." : name.substring(0, dot));
    if (block == null) {
      return Optional.empty();
    }
    String own = name.substring(dot + 1);
    if (block instanceof BatchNorm norm && own.equals(EPSILON)) {
      return Optional.of(Tensor.ofFloats(new float[] {Epsilon.of(norm)}));
    }
    Parameter parameter = block.getDirectParameters().get(own);
    if (parameter == null || !parameter.isInitialized()) {
      return Optional.empty();
    }
    try (NDManager scratch = manager.newSubManager()) {
      return Optional.of(SessionTensors.toTensor(parameter.getArray(), scratch));
    }
  }

  /** Reads a batch norm's epsilon, which DJL does not expose. */
  private static final class Epsilon {
    private static final VarHandle FIELD;

    static {
      try {
        FIELD =
            MethodHandles.privateLookupIn(BatchNorm.class, MethodHandles.lookup())
                .findVarHandle(BatchNorm.class, EPSILON, float.class);
      } catch (ReflectiveOperationException e) {
        throw new ExceptionInInitializerError(e);
      }
    }

    static float of(BatchNorm norm) {
      return (float) FIELD.get(norm);
    }
  }

  @Override
  public List<String> notices() {
    return List.copyOf(notices);
  }

  @Override
  public void close() {
    manager.close();
  }
}
