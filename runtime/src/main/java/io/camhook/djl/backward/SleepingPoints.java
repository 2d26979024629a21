package io.camhook.djl.backward;

import ai.djl.ndarray.NDArray;
import io.camhook.djl.autograd.SharedGrad;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;

/*
 * A backward checks each point for an arrived gradient. Forwards without a backward may leave thousands of
 * points under a manager that stays open, and there is no way to know that no backward will come. So points
 * that several backwards have passed by sleep: the .grad of their leaves become views of one memory, and one
 * check after a run of the engine shows whether a gradient has arrived at any of them. If so, the gradients
 * are computed (torch.grad of the same run), and the reached points are woken and fire in their turn. They
 * keep sharing the memory, because a view cannot be taken back from a leaf.
 */
/** Points that a backward does not query one by one. Guarded by the lock of {@link GradPoints}. */
final class SleepingPoints {
  private static final int FEW = 64; // points; checking this many takes less time than one query
  private static final int PASSES = 3;
  private static final int MOST = 256; // at a time, so that no backward spends long on it
  private static final long SMALLEST = 1 << 12;

  private final Set<GradPoint> asleep = new LinkedHashSet<>();
  private final Set<GradPoint> sharing = new LinkedHashSet<>(); // asleep, or woken
  private final List<SharedGrad> memories = new ArrayList<>();
  private long latest = Long.MIN_VALUE;
  private boolean open; // something has arrived that an outer backward has not queried

  boolean isEmpty() {
    return sharing.isEmpty();
  }

  boolean contains(GradPoint point) {
    return asleep.contains(point);
  }

  Set<GradPoint> asleep() {
    return asleep;
  }

  /** A backward has passed by points. Returns those that fall asleep. */
  List<GradPoint> passedBy(Collection<GradPoint> points) {
    List<GradPoint> fallen = new ArrayList<>();
    if (points.size() > FEW) {
      for (GradPoint point : points) {
        if (point.passed() >= PASSES && fallen.size() < MOST && lull(point)) {
          fallen.add(point);
        }
      }
    }
    return fallen;
  }

  private boolean lull(GradPoint point) {
    List<NDArray> leaves = point.leaves();
    if (point.isReachedDirectly() || leaves.size() < point.cuts().size()) {
      return false; // gradients can bypass it
    }
    for (Cut cut : point.cuts()) {
      if (!cut.canShare()) {
        return false;
      }
    }
    for (Cut cut : point.cuts()) {
      if (!cut.share(memoryFor(Objects.requireNonNull(cut.leaf())))) {
        return false;
      }
      sharing.add(point);
      latest = Math.max(latest, point.sequence());
    }
    return asleep.add(point);
  }

  private SharedGrad memoryFor(NDArray leaf) {
    for (SharedGrad memory : memories) {
      if (memory.fits(leaf)) {
        return memory;
      }
    }
    long size = Math.max(SMALLEST, Long.highestOneBit(Math.max(1, leaf.size() - 1)) * 2);
    SharedGrad made = new SharedGrad(leaf.getDataType(), size);
    memories.add(made);
    return made;
  }

  /** The {@linkplain GradPoint#sequence moment} at which the last of them was made, or later. */
  long latest() {
    return latest;
  }

  /**
   * The points at which a gradient may have arrived since the last query.
   *
   * @param outermost whether no other backward waits for this one to end; otherwise the result is
   *     kept for the outer one
   */
  List<GradPoint> reached(boolean outermost) {
    boolean any = open;
    for (SharedGrad memory : memories) {
      any |= memory.hasChanged();
    }
    open = any && !outermost;
    return any ? List.copyOf(sharing) : List.of();
  }

  /** Wakes a point; returns whether it slept. */
  boolean wake(GradPoint point) {
    point.reached();
    return asleep.remove(point);
  }

  /** Removes a point; returns whether it slept. */
  boolean remove(GradPoint point) {
    if (sharing.remove(point) && sharing.isEmpty()) {
      memories.forEach(SharedGrad::close); // the views keep the memory that they need
      memories.clear();
      latest = Long.MIN_VALUE;
    }
    return asleep.remove(point);
  }
}
