package io.camhook.djl;

import ai.djl.ndarray.NDArray;
import io.camhook.dispatch.Dispatch;
import io.camhook.dispatch.HookEntry;
import io.camhook.dispatch.HookList;
import io.camhook.dispatch.WeakIdentityMap;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;

/**
 * The points of all graphs that may be alive, whatever thread made them. A point goes when the
 * manager of the arrays around it is closed or when a backward has used up its graph. While a
 * backward runs, what goes stays usable until that has ended. Thread-safe.
 */
final class GradPoints {
  private final Set<GradPoint> points = new LinkedHashSet<>();
  private final List<LeafPoint> leaves = new ArrayList<>();
  private final WeakIdentityMap<NDArray, TensorPoint> tensors = new WeakIdentityMap<>();
  private final List<Runnable> afterBackwards = new ArrayList<>();
  private int backwards;
  private boolean retained;

  void add(GradPoint point) {
    synchronized (this) {
      points.add(point);
      update();
    }
    point.atEnd(() -> remove(point));
  }

  void remove(GradPoint point) {
    synchronized (this) {
      if (!points.remove(point)) {
        return;
      }
      if (point instanceof TensorPoint tensor) {
        tensor.forgetIn(tensors);
      }
      if (backwards == 0) {
        point.release();
      } else {
        afterBackwards.add(point::release);
      }
      update();
    }
    point.forgetEnd();
  }

  /** Under the lock: whether a backward has to come here. */
  private void update() {
    boolean any = !points.isEmpty() || !leaves.isEmpty();
    if (any != retained) {
      retained = any;
      if (any) {
        Dispatch.retainGradients();
      } else {
        Dispatch.releaseGradients();
      }
    }
  }

  /** A backward begins to use what {@link #candidates} and {@link #leaves} give. */
  synchronized void enterBackward() {
    backwards++;
  }

  synchronized void leaveBackward() {
    if (--backwards == 0) {
      afterBackwards.forEach(Runnable::run);
      afterBackwards.clear();
    }
  }

  /** The points that a backward may reach, last made first. */
  synchronized List<GradPoint> candidates() {
    List<GradPoint> candidates = new ArrayList<>(points);
    candidates.sort(Comparator.comparingLong(GradPoint::sequence).reversed());
    return candidates;
  }

  /** Adds a hook to a tensor that is an operator's result. */
  HookList tensor(NDArray tensor, HookEntry entry) {
    TensorPoint made = null;
    HookList hooks;
    synchronized (this) {
      TensorPoint point = tensors.get(tensor);
      if (point == null || !points.contains(point) || !point.isCurrent(tensor)) {
        made = TensorPoint.of(tensor, point == null);
        tensors.put(tensor, made);
        point = made;
      }
      hooks = point.hooks();
      hooks.add(entry, false);
    }
    if (made != null) {
      add(made);
    }
    return hooks;
  }

  /** Adds a hook to the gradient of a leaf. */
  synchronized HookList leaf(NDArray leaf, HookEntry entry) {
    HookList hooks = leafPoint(leaf).hooks();
    hooks.add(entry, false);
    return hooks;
  }

  /** Adds a hook to the updated {@code .grad} of a leaf. */
  synchronized HookList afterwards(NDArray leaf, HookEntry entry) {
    HookList hooks = leafPoint(leaf).afterwards();
    hooks.add(entry, false);
    return hooks;
  }

  private LeafPoint leafPoint(NDArray leaf) {
    for (LeafPoint known : leaves) {
      if (known.isOf(leaf)) {
        return known;
      }
    }
    LeafPoint made = new LeafPoint(leaf);
    leaves.add(made);
    update();
    return made;
  }

  /** The leaves that have hooks. */
  synchronized List<LeafPoint> leaves() {
    forgetLeavesIf(leaf -> !leaf.alive() || leaf.isBare());
    return List.copyOf(leaves);
  }

  private void forgetLeavesIf(Predicate<LeafPoint> over) {
    leaves.removeIf(
        leaf -> {
          boolean gone = over.test(leaf);
          if (gone && backwards == 0) {
            leaf.release();
          } else if (gone) {
            afterBackwards.add(leaf::release);
          }
          return gone;
        });
    update();
  }

  /** A tensor's or leaf's hook was removed: what has none is as it was before. */
  void hookRemoved() {
    List<GradPoint> bare;
    synchronized (this) {
      forgetLeavesIf(leaf -> !leaf.alive() || leaf.isBare());
      bare = points.stream().filter(GradPoint::isBare).toList();
    }
    bare.forEach(this::remove);
  }

  /** Ends all points. */
  void clear() {
    List<GradPoint> all;
    synchronized (this) {
      forgetLeavesIf(leaf -> true);
      all = List.copyOf(points);
    }
    all.forEach(this::remove);
  }
}
