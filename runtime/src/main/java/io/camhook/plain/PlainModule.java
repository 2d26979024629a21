package io.camhook.plain;

import io.camhook.recording.Tensor;

/** A module of a plain network, as passed to hooks. */
public final class PlainModule {
  private final Object module;
  private final String path;
  private final TensorAccess tensors;

  PlainModule(Object module, String path, TensorAccess tensors) {
    this.module = module;
    this.path = path;
    this.tensors = tensors;
  }

  /** The application's object. */
  public Object module() {
    return module;
  }

  /** Its dotted path in the network; {@code .} for the root. */
  public String path() {
    return path;
  }

  /**
   * A copy of one of the values that the hook was given.
   *
   * @throws IllegalArgumentException if it is not a tensor
   */
  public Tensor read(Object value) {
    return tensors.read(value, module);
  }

  @Override
  public String toString() {
    return path + " (" + module.getClass().getSimpleName() + ")";
  }
}
