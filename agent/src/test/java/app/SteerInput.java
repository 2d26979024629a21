package app;

import ai.djl.ndarray.NDList;
import ai.djl.nn.Block;
import io.camhook.ForwardPreHook;

/** An application's own hook that replaces: half of the first input. */
public final class SteerInput implements ForwardPreHook<Block, NDList> {
  @Override
  public NDList beforeForward(Block block, String path, NDList inputs) {
    inputs.set(0, inputs.get(0).mul(0.5f));
    return inputs;
  }
}
