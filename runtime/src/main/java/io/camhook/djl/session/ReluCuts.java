package io.camhook.djl.session;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Block;
import ai.djl.nn.LambdaBlock;
import io.camhook.djl.autograd.AutogradGateway;
import io.camhook.djl.autograd.Tensors;
import java.util.ArrayList;
import java.util.List;

/** Cuts the graph after every ReLU block, as made by DJL's {@code Activation.reluBlock()}. */
final class ReluCuts extends SessionWatch {
  private static final String RELU = "ReLU";

  private final NDManager owner;
  private final List<GuidedBackward.Cut> cuts = new ArrayList<>();

  ReluCuts(NDManager owner) {
    this.owner = owner;
  }

  List<GuidedBackward.Cut> cuts() {
    return cuts;
  }

  @Override
  boolean concerns(Block block) {
    return block instanceof LambdaBlock lambda && lambda.getName().equals(RELU);
  }

  @Override
  NDList returned(Block block, NDList outputs) {
    NDList handedOn = new NDList(outputs.size());
    for (NDArray output : outputs) {
      NDArray leaf = Tensors.copyOf(output, owner);
      leaf.setRequiresGradient(true);
      cuts.add(new GuidedBackward.Cut(output, leaf));
      // The next operator may work in place, which is not allowed on a leaf.
      handedOn.add(AutogradGateway.instance().tap(output.getManager(), leaf).copy());
    }
    return handedOn;
  }
}
