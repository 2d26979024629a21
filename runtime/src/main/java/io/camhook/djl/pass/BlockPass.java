package io.camhook.djl.pass;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.NDScope;
import ai.djl.pytorch.jni.JniUtils;
import io.camhook.djl.autograd.AutogradGateway;
import io.camhook.djl.autograd.Tensors;
import io.camhook.recording.LayerOutput;

/** One pass through Java blocks: the graph begins at the result of the first recorded layer. */
public final class BlockPass extends ModelPass {
  /** As {@link ModelPass}. */
  public BlockPass(NDManager owner, boolean gradients, boolean inference) {
    super(owner, gradients, inference);
  }

  @Override
  public NDList returned(String path, NDList outputs) {
    int call = endedCall(path);
    NDList handedOn = new NDList(outputs.size());
    for (int i = 0; i < outputs.size(); i++) {
      String entry = outputs.size() == 1 ? null : Integer.toString(i);
      handedOn.add(returned(new LayerOutput(path, call, entry), outputs.get(i)));
    }
    return handedOn;
  }

  private NDArray returned(LayerOutput layer, NDArray output) {
    if (!wantsGradients() || !Tensors.isFloating(output)) {
      record(layer, detachedCopy(output), null);
      return output;
    }
    if (!isInCallersGraph()) {
      JniUtils.setGradMode(true);
    }
    cut();
    AutogradGateway.Tap tap = AutogradGateway.instance().tap(owner(), output);
    NDScope.unregister(tap.value());
    record(layer, tap.value(), tap.value());
    return Tensors.inPlaceOf(output, tap.copy());
  }
}
