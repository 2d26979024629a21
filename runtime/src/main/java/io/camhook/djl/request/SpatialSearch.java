package io.camhook.djl.request;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Finds the layer that {@code auto} means during one pass: the last block to return {@code
 * [N,C,H,W]} with H·W &gt; 1, or to have a layer inside that does. A container that returns its
 * last child's result does not count; the child does.
 */
final class SpatialSearch {
  private final Predicate<Block> mapInside;
  private @Nullable Block last;
  private boolean inside;
  private @Nullable NDArray lastOutput;

  /**
   * @param mapInside whether a block has inner layers of which one is {@code auto}
   */
  SpatialSearch(Predicate<Block> mapInside) {
    this.mapInside = mapInside;
  }

  void returned(Block block, NDList outputs) {
    if (mapInside.test(block)) {
      last = block;
      inside = true;
    }
    for (NDArray output : outputs) {
      Shape shape = output.getShape();
      if (shape.dimension() == 4 && shape.get(2) * shape.get(3) > 1 && output != lastOutput) {
        last = block;
        inside = false;
        lastOutput = output;
      }
    }
  }

  /** The block; null if none was seen. */
  @Nullable Block found() {
    return last;
  }

  /** Whether it is a layer inside of that block. */
  boolean isInside() {
    return inside;
  }
}
