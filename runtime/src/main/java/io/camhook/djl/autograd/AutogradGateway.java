package io.camhook.djl.autograd;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.NDScope;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.engine.PtSymbolBlock;
import ai.djl.pytorch.jni.IValue;
import ai.djl.pytorch.jni.IValueUtils;
import ai.djl.pytorch.jni.JniUtils;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Autograd operators that DJL's own API lacks, reached through a TorchScript module made in memory.
 * One per process is enough. Thread-safe: the module has no state.
 *
 * <p>Arguments get names, so callers must own the arrays that they pass.
 */
public final class AutogradGateway {
  private static final String METHOD = "module_method:";

  private final PtNDManager manager;
  private final PtSymbolBlock module;

  private static volatile @Nullable AutogradGateway made;

  private AutogradGateway() {
    manager = (PtNDManager) Engine.getEngine("PyTorch").newBaseManager();
    manager.setName("camhook autograd");
    try {
      module =
          JniUtils.loadModule(
              manager, new ByteArrayInputStream(GatewayArchive.bytes()), false, false);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    made = this;
  }

  /** The instance of the process, created on first use. */
  public static AutogradGateway instance() {
    return Holder.INSTANCE;
  }

  /** An instance that is never closed. */
  public NDManager manager() {
    return manager;
  }

  /** Frees the module if it was created; it must not be called afterwards. */
  public static void release() {
    AutogradGateway gateway = made;
    if (gateway != null) {
      made = null;
      gateway.module.close();
    }
  }

  private static final class Holder {
    static final AutogradGateway INSTANCE = new AutogradGateway();
  }

  /**
   * {@code torch.autograd.grad}: Σ ⟨grads[k], outputs[k]⟩ differentiated with respect to {@code
   * inputs}. No {@code .grad} changes.
   *
   * @param owner manager of the result
   * @param keepGraph whether the graph can be differentiated again
   * @return one entry per input; null if no output depends on it
   */
  public List<@Nullable NDArray> grad(
      NDManager owner,
      List<NDArray> outputs,
      List<NDArray> inputs,
      List<NDArray> grads,
      boolean keepGraph) {
    List<@Nullable NDArray> gradients =
        new ArrayList<>(Collections.<@Nullable NDArray>nCopies(inputs.size(), null));
    try (IValue found = run(keepGraph ? "grad" : "grad_last", List.of(inputs, outputs, grads))) {
      IValue[] parts = found.toIValueTuple();
      try {
        long[] places = parts[1].toLongArray();
        PtNDArray[] there = parts[0].toTensorArray((PtNDManager) owner);
        for (int i = 0; i < places.length; i++) {
          NDScope.unregister(there[i]);
          gradients.set(Math.toIntExact(places[i]), there[i]);
        }
      } finally {
        parts[0].close();
        parts[1].close();
      }
    }
    return gradients;
  }

  /** Calls a method with lists of tensors. The tensors do not change, not even their names. */
  private IValue run(String method, List<List<NDArray>> arguments) {
    List<IValue> lists = new ArrayList<>();
    try (NDList none = new NDList()) {
      for (List<NDArray> argument : arguments) {
        lists.add(IValue.listFrom(argument.toArray(new PtNDArray[0])));
      }
      return ModuleCalls.run(module, method, lists, none, true);
    } finally {
      lists.forEach(IValue::close);
    }
  }

  /** Whether each of {@code inputs} gets a gradient from {@code outputs}; the graph is kept. */
  public BitSet reached(List<NDArray> outputs, List<NDArray> inputs, List<NDArray> grads) {
    BitSet reached = new BitSet();
    try (IValue found = run("grad", List.of(inputs, outputs, grads))) {
      IValue[] parts = found.toIValueTuple();
      try {
        for (long place : parts[1].toLongArray()) {
          reached.set(Math.toIntExact(place));
        }
      } finally {
        parts[0].close();
        parts[1].close();
      }
    }
    return reached;
  }

  /**
   * The product of {@code vector} with the Hessian of ⟨grad, output⟩ with respect to {@code input};
   * zeros if the gradient does not depend on it.
   */
  public NDArray hessianProduct(
      NDManager owner, NDArray output, NDArray input, NDArray grad, NDArray vector) {
    NDArray product =
        call(
                owner,
                "hessian_product",
                List.of("inputs", "outputs", "grads", "vectors"),
                List.of(List.of(input), List.of(output), List.of(grad), List.of(vector)))
            .singletonOrThrow();
    NDScope.unregister(product);
    return product;
  }

  /** {@code torch.autograd.backward} with several roots: accumulates into {@code .grad}. */
  public void backward(List<NDArray> outputs, List<NDArray> grads, boolean keepGraph) {
    run(keepGraph ? "backward_retaining" : "backward", List.of(outputs, grads)).close();
  }

  /**
   * {@code x.requires_grad}, also for results of operators: DJL's own method returns false for a
   * tensor that is neither a leaf nor retains its gradient.
   */
  boolean requiresGrad(NDArray array) {
    return is("requiring", array);
  }

  /** Sets the {@code .grad} of an array that retains its gradient. */
  public void setGrad(NDArray array, NDArray gradient) {
    grad(manager, List.of(array), List.of(array), List.of(gradient), true)
        .forEach(NDArray::close); // now it has a gradient
    try (NDArray grad = array.getGradient()) {
      copy(manager, grad, gradient);
    }
  }

  /** {@code x.is_leaf}: DJL does not distinguish a leaf from a result that retains its gradient. */
  boolean isLeaf(NDArray array) {
    return is("leaf", array);
  }

  private boolean is(String method, NDArray array) {
    return NativeValues.answer(module.getHandle(), method, ((PtNDArray) array).getHandle());
  }

  /**
   * A value in the graph, and the array that the model continues with.
   *
   * @param value the tensor itself if it is already in the graph, otherwise a leaf over its memory
   * @param copy a copy of {@code value}, in its graph
   */
  public record Tap(NDArray value, NDArray copy) {}

  /** Taps {@code array}; grad mode must be on. Both results belong to {@code owner}. */
  public Tap tap(NDManager owner, NDArray array) {
    try (NDList arguments = new NDList(Tensors.alias(array, owner), marker(owner, "tap"))) {
      NDList both = IValueUtils.forward(module, arguments, true);
      return new Tap(both.get(0), both.get(1));
    }
  }

  /** {@code x.to(torch.bfloat16)}. */
  NDArray bfloat16(NDManager owner, NDArray array) {
    try (NDList arguments = new NDList(Tensors.alias(array, owner), marker(owner, "bfloat16"))) {
      return IValueUtils.forward(module, arguments, true).singletonOrThrow();
    }
  }

  /** {@code x.retain_grad()}: backwards add the gradient of {@code array} to its {@code .grad}. */
  public void retainGrad(NDArray array) {
    try (NDList arguments =
        new NDList(Tensors.alias(array, manager), marker(manager, "retain_grad"))) {
      IValueUtils.forward(module, arguments, true).close();
    }
    array.setRequiresGradient(true); // DJL has cached that there is no gradient
  }

  /** How often operators have changed the tensor in place. */
  public long version(NDArray array) {
    return NativeValues.number(module.getHandle(), "version", ((PtNDArray) array).getHandle());
  }

  /**
   * How often the {@code .grad} of each leaf has been changed in place; −1 for a leaf that has
   * none.
   */
  public long[] gradVersions(List<NDArray> leaves) {
    long[] versions = new long[leaves.size()];
    long[] grads = new long[versions.length];
    int there = 0;
    for (int i = 0; i < versions.length; i++) {
      long grad = NativeGrads.of(leaves.get(i));
      versions[i] = grad == 0 ? -1 : there;
      if (grad != 0) {
        grads[there++] = grad;
      }
    }
    if (there == 0) {
      return versions;
    }
    long[] numbers = versions(Arrays.copyOf(grads, there));
    for (int i = 0; i < versions.length; i++) {
      versions[i] = versions[i] < 0 ? -1 : numbers[Math.toIntExact(versions[i])];
    }
    return versions;
  }

  /** Reads the versions of gradients, whose handles are deleted. */
  private long[] versions(long[] grads) {
    if (grads.length > 1) {
      return NativeValues.numbers(module.getHandle(), "versions", grads);
    }
    try {
      return new long[] {NativeValues.number(module.getHandle(), "version", grads[0])};
    } finally {
      JniUtils.deleteNDArray(grads[0]);
    }
  }

  /** Overwrites the contents of {@code target}, visible to everyone who references it. */
  public void copy(NDManager owner, NDArray target, NDArray source) {
    try (NDList arguments =
        new NDList(
            Tensors.alias(target, owner), Tensors.alias(source, owner), marker(owner, "copy"))) {
      IValueUtils.forward(module, arguments, true).close();
    }
  }

  /**
   * A copy in the graph of {@code array}, because DJL's own copy is not in it; grad mode must be
   * on.
   */
  public NDArray copyInGraph(NDArray array, NDManager owner) {
    try (NDList none = new NDList();
        IValue value = IValue.from((PtNDArray) array);
        IValue copy = ModuleCalls.run(module, "clone", List.of(value), none, true)) {
      NDArray copied = copy.toTensor((PtNDManager) owner);
      NDScope.unregister(copied);
      return copied;
    }
  }

  /** Sets a tensor to 0, even if its values are not finite. */
  public void zero(NDArray array) {
    NativeValues.run(module.getHandle(), "zero", ((PtNDArray) array).getHandle());
  }

  /**
   * Makes the {@code .grad} of leaves unusable: adding to one fails, which {@link #isSpoiled}
   * recognises.
   */
  public void spoil(List<NDArray> leaves) {
    long[] grads = new long[leaves.size()];
    for (int i = 0; i < grads.length; i++) {
      grads[i] = NativeGrads.defined(leaves.get(i)); // without a gradient there is nothing to spoil
    }
    NativeValues.numbers(module.getHandle(), "spoil", grads);
  }

  /** Whether a failure is that of adding to a spoiled tensor. */
  public static boolean isSpoiled(RuntimeException failure) {
    String message = failure.getMessage();
    return message != null
        && (message.contains("output with shape [0] doesn't match")
            || message.contains("The size of tensor a (0) must match"));
  }

  /** Appends {@code array} to a {@code List[Tensor]}. */
  public void append(IValue list, NDArray array) {
    try (NDList none = new NDList();
        IValue value = IValue.from((PtNDArray) array)) {
      ModuleCalls.run(module, "append", List.of(list, value), none, true).close();
    }
  }

  private NDList call(
      NDManager owner, String method, List<String> names, List<List<NDArray>> arguments) {
    // Aliases: the same native tensors under handles of our own, so that no name of the
    // application's array changes and the result belongs to `owner`.
    try (NDList all = new NDList()) {
      for (int i = 0; i < names.size(); i++) {
        for (NDArray array : arguments.get(i)) {
          NDArray alias = Tensors.alias(array, owner);
          alias.setName(names.get(i) + "[]");
          all.add(alias);
        }
      }
      all.add(marker(owner, method));
      return IValueUtils.forward(module, all, true);
    }
  }

  private static NDArray marker(NDManager owner, String method) {
    NDArray marker = owner.zeros(new Shape());
    marker.setName(METHOD + method);
    return marker;
  }
}
