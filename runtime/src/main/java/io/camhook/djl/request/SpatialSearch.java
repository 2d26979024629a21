package io.camhook.djl.request;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import org.jspecify.annotations.Nullable;

/**
 * Finds the layer that {@code auto} means during one pass: the last block to return {@code
 * [N,C,H,W]} with H·W &gt; 1. A container that returns its last child's result does not count; the
 * child does.
 */
final class SpatialSearch {
  private @Nullable Block last;
  private @Nullable NDArray lastOutput;

  void returned(Block block, NDList outputs) {
    for (NDArray output : outputs) {
      Shape shape = output.getShape();
      if (shape.dimension() == 4 && shape.get(2) * shape.get(3) > 1 && output != lastOutput) {
        last = block;
        lastOutput = output;
      }
    }
  }

  /** The block; null if none was seen. */
  @Nullable Block found() {
    return last;
  }
}
