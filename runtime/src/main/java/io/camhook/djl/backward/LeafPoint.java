package io.camhook.djl.backward;

import ai.djl.ndarray.NDArray;
import ai.djl.pytorch.engine.PtNDArray;
import io.camhook.dispatch.HookArguments;
import io.camhook.dispatch.HookEntry;
import io.camhook.dispatch.HookList;
import io.camhook.dispatch.HookTypes;
import io.camhook.djl.autograd.Tensors;
import java.lang.ref.WeakReference;

/**
 * The hooks of one leaf: of its gradient, and of its updated {@code .grad}. Keeps no leaf alive.
 */
final class LeafPoint {
  private final WeakReference<NDArray> leaf;
  private final NDArray alias; // a handle that no other thread closes during a backward
  private final HookList hooks = new HookList();
  private final HookList afterwards = new HookList();

  LeafPoint(NDArray leaf) {
    this.leaf = new WeakReference<>(leaf);
    this.alias = Tensors.ownAlias(leaf);
  }

  boolean isOf(NDArray other) {
    return leaf.get() == other;
  }

  boolean alive() {
    NDArray array = leaf.get();
    return array != null && !((PtNDArray) array).isReleased();
  }

  boolean isBare() {
    return hooks.isEmpty() && afterwards.isEmpty();
  }

  /** The leaf under a handle of camhook's. */
  NDArray array() {
    return alias;
  }

  void release() {
    alias.close();
  }

  HookList hooks() {
    return hooks;
  }

  HookList afterwards() {
    return afterwards;
  }

  void accumulated() {
    NDArray array = leaf.get();
    if (array == null) {
      return;
    }
    for (HookEntry entry : afterwards.snapshot()) {
      try {
        entry.call(HookArguments.tensor(array));
      } catch (RuntimeException e) {
        throw HookTypes.named(e, entry, "a leaf of shape " + array.getShape());
      }
    }
  }
}
