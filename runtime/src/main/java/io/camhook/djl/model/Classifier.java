package io.camhook.djl.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.nn.core.Linear;
import io.camhook.djl.autograd.Tensors;
import io.camhook.recording.Target;
import java.lang.ref.WeakReference;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The last linear layer of a model, whose rows weigh the channels in CAM (Zhou et al., 2016). */
final class Classifier {
  private final WeakReference<Block> block;
  private final String name;

  /**
   * @param name of the weight among the direct parameters of {@code block}
   */
  Classifier(Block block, String name) {
    this.block = new WeakReference<>(block);
    this.name = name;
  }

  /** Null if the model has no linear layer. */
  static @Nullable Classifier of(List<BlockTree.Module> modules) {
    Classifier last = null;
    for (BlockTree.Module module : modules) {
      if (module.block() instanceof Linear) {
        last = new Classifier(module.block(), "weight");
      }
    }
    return last;
  }

  /**
   * The rows of the targets' classes, {@code [targets, C]}, copied.
   *
   * @param activation {@code [N,C,…]}
   * @return null unless the layer maps the activation's C channels to the classes
   */
  @Nullable NDArray rows(NDArray activation, List<Target> targets, NDManager owner) {
    Block holder = block.get();
    Parameter weight = holder == null ? null : holder.getDirectParameters().get(name);
    if (weight == null || !weight.isInitialized() || targets.isEmpty()) {
      return null;
    }
    NDArray array = weight.getArray();
    Shape shape = array.getShape();
    Shape channels = activation.getShape();
    int last = targets.stream().mapToInt(Target::index).max().orElse(0);
    if (channels.dimension() < 2 || shape.get(1) != channels.get(1) || shape.get(0) <= last) {
      return null;
    }
    try (NDManager scratch = owner.newSubManager()) {
      NDArray values = Tensors.detached(array, scratch);
      NDList rows = new NDList(targets.size());
      for (Target target : targets) {
        rows.add(values.get(scratch, target.index()));
      }
      NDArray stacked = NDArrays.stack(rows);
      stacked.attach(owner);
      return stacked;
    }
  }
}
