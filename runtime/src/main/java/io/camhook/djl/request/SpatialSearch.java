package io.camhook.djl.request;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Finds the layer that {@code auto} means during one pass: the last block to return {@code
 * [N,C,H,W]} with H·W &gt; 1, or to have a layer inside that does. A container that returns its
 * last child's result does not count; the child does. If the model itself returns such a map (a
 * segmentation model), the last block with parameters computes its classes, and {@code auto} means
 * the block before that one.
 */
final class SpatialSearch {
  private final Predicate<Block> mapInside;
  private final List<Candidate> candidates = new ArrayList<>();
  private @Nullable NDArray lastOutput;

  /**
   * A block that returned a map.
   *
   * @param inside whether the map is that of a layer inside it
   */
  private record Candidate(Block block, boolean inside) {
    boolean hasOwnParameters() {
      return inside || !block.getDirectParameters().isEmpty();
    }
  }

  /**
   * @param mapInside whether a block has inner layers, one of which is {@code auto}
   */
  SpatialSearch(Predicate<Block> mapInside) {
    this.mapInside = mapInside;
  }

  void returned(Block block, NDList outputs) {
    if (mapInside.test(block)) {
      candidates.add(new Candidate(block, true));
    }
    for (NDArray output : outputs) {
      if (isMap(output) && output != lastOutput) {
        candidates.add(new Candidate(block, false));
        lastOutput = output;
      }
    }
  }

  private static boolean isMap(NDArray output) {
    Shape shape = output.getShape();
    return shape.dimension() == 4 && shape.get(2) * shape.get(3) > 1;
  }

  /** The pass has ended; {@code outputs} are the model's. */
  void ended(NDList outputs) {
    if (outputs.isEmpty() || !isMap(outputs.head())) {
      return;
    }
    int last = candidates.size() - 1;
    while (last >= 0 && !candidates.get(last).hasOwnParameters()) {
      last--;
    }
    // For an archive, its code has already ruled out the class map.
    if (last > 0 && !candidates.get(last).inside()) {
      candidates.subList(last, candidates.size()).clear();
    }
  }

  /** The block; null if none was seen. */
  @Nullable Block found() {
    return candidates.isEmpty() ? null : candidates.get(candidates.size() - 1).block();
  }

  /** Whether it is a layer inside that block. */
  boolean isInside() {
    return !candidates.isEmpty() && candidates.get(candidates.size() - 1).inside();
  }
}
