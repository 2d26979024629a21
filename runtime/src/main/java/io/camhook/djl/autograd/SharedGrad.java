package io.camhook.djl.autograd;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.JniUtils;

/**
 * Memory that the {@code .grad} of many leaves are views of. Views share one count of changes
 * ({@code Tensor._version}), so one query tells whether a gradient has arrived at any of them; the
 * next gradient overwrites it.
 */
public final class SharedGrad implements AutoCloseable {
  private final NDArray memory;
  private long version;

  /**
   * @param size most elements of a leaf
   */
  public SharedGrad(DataType type, long size) {
    NDManager manager = AutogradGateway.instance().manager();
    memory = manager.zeros(new Shape(size), type);
    manager.detachInternal(memory.getUid());
    AutogradGateway.instance().zero(memory); // a copy has not been changed, which tells it apart
    version = version(memory);
  }

  /** Whether a leaf's gradient has room. */
  public boolean fits(NDArray leaf) {
    return leaf.getDataType() == memory.getDataType() && leaf.size() <= memory.size();
  }

  /**
   * Makes {@code leaf.grad}, which must not be there yet, a view of this.
   *
   * @return false if it has become an array of its own, because the leaf does not lie densely
   */
  public boolean share(NDArray leaf) {
    long[] shape = leaf.getShape().getShape();
    try (GradMode on = new GradMode(true);
        NDArray own = Tensors.ownAlias(leaf);
        NDArray root = JniUtils.reshape((PtNDArray) own, shape);
        NDArray part = JniUtils.slice((PtNDArray) memory, 0, 0, leaf.size(), 1);
        NDArray view = JniUtils.reshape((PtNDArray) part, shape)) {
      // The reshaping's backward makes a view that nobody else holds, and such a gradient is taken
      // over as it is.
      NativeGrads.backward(root, view, false);
    }
    try (NDArray grad = JniUtils.getGradient((PtNDArray) leaf)) {
      return version(grad) == version(memory);
    }
  }

  /** Whether a gradient has come to one of the leaves since somebody last asked. */
  public boolean hasChanged() {
    long before = version;
    version = version(memory);
    return version != before;
  }

  private static long version(NDArray array) {
    return AutogradGateway.instance().version(array);
  }

  @Override
  public void close() {
    memory.close();
  }
}
