package app;

import ai.djl.ndarray.NDList;
import ai.djl.nn.Block;
import io.camhook.ForwardHook;
import io.camhook.FullBackwardHook;
import org.jspecify.annotations.Nullable;

/** Mistakes in hooks that replace values. */
public final class WrongHooks {
  private WrongHooks() {}

  /** Has the method, but is no hook. */
  public static final class NoInterface {
    public NDList afterForward(Block block, String path, NDList inputs, NDList outputs) {
      return outputs;
    }
  }

  /** Keeps what it sees. */
  public static final class Keeps implements ForwardHook<Block, NDList> {
    @Override
    public @Nullable NDList afterForward(
        Block block, String path, NDList inputs, @Nullable NDList outputs) {
      return null;
    }
  }

  /** Returns no array. */
  public static final class Empty implements ForwardHook<Block, NDList> {
    @Override
    public NDList afterForward(Block block, String path, NDList inputs, @Nullable NDList outputs) {
      return new NDList();
    }
  }

  /** Sees gradients, which cannot be replaced inside. */
  public static final class Backward implements FullBackwardHook<Block, NDList> {
    @Override
    public NDList afterBackward(Block block, String path, NDList gradInputs, NDList gradOutputs) {
      return gradInputs;
    }
  }
}
