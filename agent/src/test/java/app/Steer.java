package app;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.nn.Block;
import io.camhook.ForwardHook;
import org.jspecify.annotations.Nullable;

/**
 * An application's own hook that replaces: 1.5 times the output, with index 0 of dimension 1 (0 of
 * a vector) set to 0, as in {@code reference/make_replace.py}.
 */
public final class Steer implements ForwardHook<Block, NDList> {
  @Override
  public NDList afterForward(Block block, String path, NDList inputs, @Nullable NDList outputs) {
    NDArray steered = outputs.head().mul(1.5f);
    steered.set(new NDIndex(steered.getShape().dimension() > 1 ? ":, 0" : "0"), 0);
    return new NDList(steered);
  }
}
