package io.camhook.djl.backward;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.JniUtils;
import io.camhook.djl.autograd.AutogradGateway;
import io.camhook.djl.autograd.Tensors;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A leaf with hooks during one backward. If hooks see the gradient, the leaf's {@code .grad} is set
 * aside and restored after they have seen the arriving gradient.
 */
final class LeafBackward {
  private final LeafPoint leaf;
  private final AutogradGateway autograd = AutogradGateway.instance();
  private @Nullable NDArray before;
  private boolean setAside;
  private long version;

  LeafBackward(LeafPoint leaf) {
    this.leaf = leaf;
  }

  NDArray array() {
    return leaf.array();
  }

  private @Nullable NDArray grad() {
    return JniUtils.getGradient((PtNDArray) leaf.array());
  }

  /** The backward begins. */
  static void begin(List<LeafBackward> leaves, Supplier<NDManager> scratch) {
    if (leaves.isEmpty()) {
      return;
    }
    leaves.forEach(leaf -> leaf.setAside(scratch));
    long[] versions = versions(leaves);
    for (int i = 0; i < versions.length; i++) {
      leaves.get(i).version = versions[i];
    }
  }

  private void setAside(Supplier<NDManager> scratch) {
    if (leaf.hooks().isEmpty()) {
      return;
    }
    try (NDArray grad = grad()) {
      if (grad != null) {
        before = grad.duplicate();
        before.attach(scratch.get());
        autograd.zero(grad);
        setAside = true;
      }
    }
  }

  /** The leaves to which the engine has brought a gradient. */
  static List<LeafBackward> arrived(List<LeafBackward> leaves) {
    if (leaves.isEmpty()) {
      return List.of();
    }
    List<LeafBackward> arrived = new ArrayList<>();
    long[] versions = versions(leaves);
    for (int i = 0; i < versions.length; i++) {
      if (versions[i] != leaves.get(i).version) {
        arrived.add(leaves.get(i));
      }
    }
    return arrived;
  }

  private static long[] versions(List<LeafBackward> leaves) {
    return AutogradGateway.instance()
        .gradVersions(leaves.stream().map(LeafBackward::array).toList());
  }

  /** Runs the hooks. Everything has arrived. */
  void fire(NDManager owner) {
    if (!leaf.hooks().isEmpty()) {
      try (NDArray grad = Objects.requireNonNull(grad())) {
        NDArray arrived = Tensors.loose(Tensors.ownedBy(grad.duplicate(), owner));
        NDArray total = Tensors.ownAlias(arrived);
        try {
          NDArray replaced = TensorPoint.run(leaf.hooks(), arrived);
          requireShape(replaced, grad);
          put(grad, replaced == null ? total : replaced);
        } finally {
          total.close();
        }
      }
    }
    leaf.accumulated();
  }

  private void requireShape(@Nullable NDArray replaced, NDArray grad) {
    if (replaced != null && !replaced.getShape().equals(grad.getShape())) {
      throw new IllegalStateException(
          "leaf of shape %s: a hook returned a gradient of shape %s"
              .formatted(grad.getShape(), replaced.getShape()));
    }
  }

  private void put(NDArray grad, NDArray gradient) {
    NDArray set = before;
    if (set == null) {
      autograd.copy(autograd.manager(), grad, gradient);
    } else {
      try (NDArray sum = set.add(gradient)) {
        autograd.copy(autograd.manager(), grad, sum);
      }
    }
    setAside = false;
  }

  /** Nothing, or not everything, has arrived: restores {@code .grad}. */
  void undo() {
    NDArray set = before;
    if (setAside && set != null) {
      try (NDArray grad = Objects.requireNonNull(grad())) {
        autograd.copy(autograd.manager(), grad, set);
      }
      setAside = false;
    }
  }
}
