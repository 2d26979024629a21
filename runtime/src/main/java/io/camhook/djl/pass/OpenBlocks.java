package io.camhook.djl.pass;

import ai.djl.ndarray.NDList;
import ai.djl.nn.Block;
import io.camhook.dispatch.BlockCall;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/** The watched blocks that are currently running in one pass; each call is seen once. */
public final class OpenBlocks {
  private final List<Block> open = new ArrayList<>();
  private final BiFunction<Block, NDList, NDList> returned;

  /**
   * @param returned called with a block's result; returns the values for the block's caller
   */
  public OpenBlocks(BiFunction<Block, NDList, NDList> returned) {
    this.returned = returned;
  }

  /**
   * Called when a block begins; null if it is running already, because super.forward is not a
   * separate call.
   */
  public @Nullable BlockCall enter(Block block) {
    for (Block other : open) {
      if (other == block) {
        return null;
      }
    }
    open.add(block);
    return (result, thrown) -> {
      open.remove(open.size() - 1);
      return thrown == null && result instanceof NDList outputs
          ? returned.apply(block, outputs)
          : result;
    };
  }
}
