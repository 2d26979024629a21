package io.camhook.dispatch;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What a hook is shown. Modules and tensors are those of the engine. Confined to the call of one
 * hook.
 */
public final class HookArguments {
  private final Object module;
  private final String path;
  private final @Nullable Object inputs;
  private final @Nullable Object outputs;
  private @Nullable Object params;

  private HookArguments(
      Object module,
      String path,
      @Nullable Object inputs,
      @Nullable Object params,
      @Nullable Object outputs) {
    this.module = module;
    this.path = path;
    this.inputs = inputs;
    this.params = params;
    this.outputs = outputs;
  }

  /**
   * For a hook in the forward pass.
   *
   * @param params what Python calls keyword arguments; null if the call has none
   * @param outputs null before the forward, and if it failed
   */
  public static HookArguments forward(
      Object module,
      String path,
      Object inputs,
      @Nullable Object params,
      @Nullable Object outputs) {
    return new HookArguments(module, path, inputs, params, outputs);
  }

  /**
   * For a hook in the backward pass.
   *
   * @param gradInputs gradients of the module's inputs; null before the module's backward, and if
   *     the network has none for its first layer
   * @param gradOutputs gradients of the module's outputs
   */
  public static HookArguments backward(
      Object module, String path, @Nullable Object gradInputs, Object gradOutputs) {
    return new HookArguments(module, path, gradInputs, null, gradOutputs);
  }

  /**
   * For a hook on a tensor.
   *
   * @param value its gradient, or the leaf
   */
  public static HookArguments tensor(Object value) {
    return new HookArguments(value, "", value, null, null);
  }

  public Object module() {
    return module;
  }

  public String path() {
    return path;
  }

  /** Inputs, or their gradients in a backward pass; the value that a hook on a tensor is shown. */
  @SuppressWarnings("NullAway") // null only for gradients of inputs: see backward
  public Object inputs() {
    return inputs;
  }

  /** Outputs of a forward. */
  public @Nullable Object outputs() {
    return outputs;
  }

  /** Gradients of the outputs. */
  public Object gradOutputs() {
    return Objects.requireNonNull(outputs);
  }

  public @Nullable Object params() {
    return params;
  }

  /** A hook replaces the keyword arguments. */
  public void replaceParams(@Nullable Object replacement) {
    params = replacement;
  }
}
