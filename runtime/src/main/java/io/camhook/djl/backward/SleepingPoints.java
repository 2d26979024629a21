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
 * A backward asks each point whether a gradient has arrived. Forwards that nobody runs backward may leave thousands of
 * points under a manager that stays open, and nobody can tell that nobody will. So points that several backwards have
 * passed by sleep: the .grad of their leaves become views of one memory, and one question after a run of the engine
 * tells whether something has come to any of them. If so, the engine is asked what (torch.grad of the same run), and
 * the points that it came to are woken and fire in their turn. Those go on sharing the memory: a view cannot be
 * taken back from a leaf.
 */
/** Points that a backward does not query one by one. Guarded by the lock of {@link GradPoints}. */
final class SleepingPoints {
  private static final int FEW =
      64; // points; so many are asked in less time than one question takes
  private static final int PASSES = 3;
  private static final int MOST = 256; // at a time, so that no backward takes long for it
  private static final long SMALLEST = 1 << 12;

  private final Set<GradPoint> asleep = new LinkedHashSet<>();
  private final Set<GradPoint> sharing = new LinkedHashSet<>(); // asleep, or woken
  private final List<SharedGrad> memories = new ArrayList<>();
  private long latest = Long.MIN_VALUE;
  private boolean open; // something has come that an outer backward has not asked for

  boolean isEmpty() {
    return sharing.isEmpty();
  }

  boolean contains(GradPoint point) {
    return asleep.contains(point);
  }

  Set<GradPoint> asleep() {
    return asleep;
  }

  /** A backward has passed by points; those that are now to sleep do. */
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
      return false; // gradients can go past it
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
   * The points to which a gradient may have come since the last question.
   *
   * @param outermost whether no other backward waits for this one to end; what it may have to know
   *     is kept for it
   */
  List<GradPoint> reached(boolean outermost) {
    boolean any = open;
    for (SharedGrad memory : memories) {
      any |= memory.hasChanged();
    }
    open = any && !outermost;
    return any ? List.copyOf(sharing) : List.of();
  }

  /** Whether it slept; it does not from now on. */
  boolean wake(GradPoint point) {
    point.reached();
    return asleep.remove(point);
  }

  /** Whether it slept; it goes. */
  boolean remove(GradPoint point) {
    if (sharing.remove(point) && sharing.isEmpty()) {
      memories.forEach(SharedGrad::close); // the views keep what they need
      memories.clear();
      latest = Long.MIN_VALUE;
    }
    return asleep.remove(point);
  }
}
