package io.camhook.djl.model;

import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.AbstractBlock;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;
import org.jspecify.annotations.Nullable;

/**
 * A module inside a TorchScript model, as passed to hooks. It has only an identity and a name,
 * because the module itself runs in native code.
 */
public final class InnerModule extends AbstractBlock {
  private final String path;
  private final String type;
  private final boolean stops;

  /**
   * @param type class name as it was in Python, e.g. {@code torch.nn.modules.conv.Conv2d}
   * @param stops whether its model can wait for hooks at it
   */
  InnerModule(String path, String type, boolean stops) {
    this.stops = stops;
    this.path = path;
    this.type = type;
  }

  /** Dotted path in the archive, the first one of a shared module. */
  public String path() {
    return path;
  }

  /** Whether its model can wait for hooks at it, so that they can replace its inputs or outputs. */
  public boolean stops() {
    return stops;
  }

  /** Class name as it was in Python, without its package. */
  public String type() {
    return type.substring(type.lastIndexOf('.') + 1);
  }

  @Override
  protected NDList forwardInternal(
      ParameterStore parameterStore,
      NDList inputs,
      boolean training,
      @Nullable PairList<String, Object> params) {
    throw alone();
  }

  @Override
  public Shape[] getOutputShapes(Shape[] inputShapes) {
    throw alone();
  }

  private UnsupportedOperationException alone() {
    return new UnsupportedOperationException(
        this + " is inside a TorchScript model and runs only as a part of it; call the model");
  }

  @Override
  public String toString() {
    return path + " (" + type() + ")";
  }
}
