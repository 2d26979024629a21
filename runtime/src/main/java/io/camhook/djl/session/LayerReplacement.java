package io.camhook.djl.session;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.nn.Block;
import io.camhook.recording.LayerOutput;

/** Replaces the value that one call of a block returns. */
final class LayerReplacement extends SessionWatch {
  private final Block block;
  private final LayerOutput layer;
  private final NDArray value;
  private int calls;
  private boolean happened;

  LayerReplacement(Block block, LayerOutput layer, NDArray value) {
    this.block = block;
    this.layer = layer;
    this.value = value;
  }

  boolean happened() {
    return happened;
  }

  @Override
  boolean concerns(Block other) {
    return other == block;
  }

  @Override
  NDList returned(Block returning, NDList outputs) {
    if (calls++ != layer.call()) {
      return outputs;
    }
    happened = true;
    String entry = layer.entry();
    int index = entry == null ? 0 : Integer.parseInt(entry);
    NDList replaced = new NDList(outputs);
    value.setName(outputs.get(index).getName());
    replaced.set(index, value);
    return replaced;
  }
}
