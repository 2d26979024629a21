package io.camhook.djl;

import ai.djl.ndarray.NDArray;
import io.camhook.dispatch.Dispatch;
import io.camhook.dispatch.WeakIdentityMap;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * The points of all graphs that may be alive. A point goes when its arrays are closed, which the
 * manager of the arrays around it does, or when a backward has used up its graph. Thread-safe.
 */
final class GradPoints {
  private static final int SWEEP = 64;

  private final List<GradPoint> points = new ArrayList<>();
  private final List<LeafPoint> leaves = new ArrayList<>();
  private final WeakIdentityMap<NDArray, TensorPoint> tensors = new WeakIdentityMap<>();
  private int untilSweep = SWEEP;

  synchronized void add(GradPoint point) {
    if (--untilSweep == 0) {
      sweep();
      untilSweep = Math.max(SWEEP, points.size());
    }
    points.add(point);
    Dispatch.gradients = true;
  }

  private void sweep() {
    points.removeIf(
        point -> {
          if (point.alive()) {
            return false;
          }
          point.release();
          return true;
        });
  }

  synchronized void remove(GradPoint point) {
    if (points.remove(point)) {
      point.release();
    }
  }

  /**
   * The points that a backward on this thread may reach, last made first: those that this thread
   * made, or, where it made none, those of all threads.
   */
  synchronized List<GradPoint> candidates() {
    sweep();
    Thread thread = Thread.currentThread();
    List<GradPoint> own = points.stream().filter(point -> point.thread() == thread).toList();
    List<GradPoint> candidates = new ArrayList<>(own.isEmpty() ? points : own);
    candidates.sort(Comparator.comparingLong(GradPoint::sequence).reversed());
    return candidates;
  }

  /** The point of a tensor that is an operator's result. */
  synchronized TensorPoint tensor(NDArray tensor) {
    TensorPoint known = tensors.get(tensor);
    if (known != null && known.alive() && known.isCurrent(tensor)) {
      return known;
    }
    TensorPoint made = TensorPoint.of(tensor, known == null);
    tensors.put(tensor, made);
    add(made);
    return made;
  }

  /** The point of a leaf. */
  synchronized LeafPoint leaf(NDArray leaf) {
    for (LeafPoint known : leaves) {
      if (known.isOf(leaf)) {
        return known;
      }
    }
    LeafPoint made = new LeafPoint(leaf);
    leaves.add(made);
    Dispatch.gradients = true;
    return made;
  }

  /** The leaves that have hooks. */
  synchronized List<LeafPoint> leaves() {
    leaves.removeIf(leaf -> !leaf.alive());
    return leaves.stream().filter(leaf -> !leaf.isBare()).toList();
  }

  /** Number of points, for tests. */
  synchronized int size() {
    sweep();
    return points.size();
  }
}
