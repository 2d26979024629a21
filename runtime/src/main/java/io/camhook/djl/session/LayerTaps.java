package io.camhook.djl.session;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Block;
import ai.djl.pytorch.jni.JniUtils;
import io.camhook.djl.autograd.AutogradGateway;
import io.camhook.djl.autograd.Tensors;
import io.camhook.recording.LayerOutput;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Records what layers return; with gradients the graph begins at the first of them. */
final class LayerTaps extends SessionWatch {
  private final Map<Block, String> layers;
  private final NDManager owner;
  private final boolean gradients;
  private final Map<String, Integer> calls = new HashMap<>();
  private final Map<LayerOutput, NDArray> recorded = new LinkedHashMap<>();

  LayerTaps(Map<Block, String> layers, NDManager owner, boolean gradients) {
    this.layers = layers;
    this.owner = owner;
    this.gradients = gradients;
  }

  /** Records nothing. */
  static LayerTaps none(NDManager owner) {
    return new LayerTaps(Map.of(), owner, false);
  }

  /** What was returned, in order of the calls; with gradients, as part of the graph. */
  Map<LayerOutput, NDArray> recorded() {
    return recorded;
  }

  @Override
  boolean concerns(Block block) {
    return layers.containsKey(block);
  }

  @Override
  NDList returned(Block block, NDList outputs) {
    @Nullable String path = layers.get(block);
    if (path == null) {
      return outputs;
    }
    int call = calls.merge(path, 1, Integer::sum) - 1;
    NDList handedOn = new NDList(outputs.size());
    for (int i = 0; i < outputs.size(); i++) {
      String entry = outputs.size() == 1 ? null : Integer.toString(i);
      handedOn.add(record(new LayerOutput(path, call, entry), outputs.get(i)));
    }
    return handedOn;
  }

  private NDArray record(LayerOutput layer, NDArray output) {
    if (!gradients || !Tensors.isFloating(output)) {
      recorded.put(layer, Tensors.copyOf(output, owner));
      return output;
    }
    JniUtils.setGradMode(true);
    AutogradGateway.Tap tap = AutogradGateway.instance().tap(owner, output);
    recorded.put(layer, tap.value());
    return Tensors.inPlaceOf(output, tap.copy());
  }
}
