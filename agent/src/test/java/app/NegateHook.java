package app;

import ai.djl.ndarray.NDList;
import ai.djl.nn.Block;
import io.camhook.ForwardHook;
import org.jspecify.annotations.Nullable;

/** An application's own hook: negates the model's output. */
public final class NegateHook implements ForwardHook<Block, NDList> {
  @Override
  public NDList afterForward(Block block, String path, NDList x, @Nullable NDList y) {
    System.out.println("hook " + path);
    return new NDList(y.head().neg());
  }
}
