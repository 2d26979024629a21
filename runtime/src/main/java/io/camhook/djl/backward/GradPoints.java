package io.camhook.djl.backward;

import ai.djl.ndarray.NDArray;
import io.camhook.dispatch.Dispatch;
import io.camhook.dispatch.HookEntry;
import io.camhook.dispatch.HookList;
import io.camhook.dispatch.WeakIdentityMap;
import io.camhook.djl.autograd.AutogradGateway;
import io.camhook.djl.autograd.Tensors;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.NavigableSet;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The points of all graphs that may be alive, no matter which thread made them. A point is removed
 * when the manager of the arrays around it is closed, or when a backward has consumed its graph.
 * The points of the last consumed graph stay until a backward of another graph, because a second
 * backward can still reach them as far as the graph is intact. Points that backwards pass by again
 * and again sleep. Points removed during a backward stay usable until it has ended. Thread-safe.
 */
public final class GradPoints {
  private static final GradPoints ALL = new GradPoints();

  private final NavigableSet<GradPoint> points = new TreeSet<>(GradPoint.LAST_FIRST);
  private final SleepingPoints sleeping = new SleepingPoints();
  private final Set<TensorPoint> retaining = new LinkedHashSet<>();
  private final List<LeafPoint> leaves = new ArrayList<>();
  private final WeakIdentityMap<NDArray, TensorPoint> tensors = new WeakIdentityMap<>();
  private final WeakIdentityMap<NDArray, WeakReference<Cut>> handedOn = new WeakIdentityMap<>();
  private final Set<GradPoint> usedUp = new LinkedHashSet<>();
  private WeakReference<@Nullable NDArray> usedUpBy = new WeakReference<>(null);
  private final List<Runnable> afterBackwards = new ArrayList<>();
  private final ReentrantLock turn = new ReentrantLock();
  private int backwards;
  private boolean retained;
  private boolean cutOff;

  private GradPoints() {}

  /** The points of the engine. */
  public static GradPoints all() {
    return ALL;
  }

  /** Whether there is any. */
  public synchronized boolean isUsed() {
    return isAny();
  }

  private boolean isAny() {
    return !points.isEmpty() || !sleeping.asleep().isEmpty();
  }

  /** Number of points that a backward checks one by one for an arrived gradient. */
  public synchronized int awake() {
    return points.size();
  }

  void add(GradPoint point) {
    synchronized (this) {
      points.add(point);
      point.cuts().forEach(cut -> cut.belongsTo(point));
      update();
    }
    point.atEnd(() -> closed(point));
  }

  /**
   * A manager of the arrays around {@code closed} is closed. If their graph lives on, because a
   * result of it was moved elsewhere, a gradient would be lost at the cuts. So their leaves are
   * made unusable, and the engine reports it.
   */
  private void closed(GradPoint closed) {
    List<GradPoint> together = new ArrayList<>();
    synchronized (this) {
      for (GradPoint point : allOf()) {
        if (point.livesWith(closed)) {
          together.add(point);
        }
      }
      cutOff |= !together.isEmpty(); // the next backward is checked even if no point is left
    }
    List<NDArray> leaves = new ArrayList<>();
    together.forEach(point -> leaves.addAll(point.leaves()));
    try {
      if (!leaves.isEmpty()) {
        AutogradGateway.instance().spoil(leaves);
      }
    } finally {
      forgetSpoiled();
      together.forEach(this::remove);
      remove(closed);
    }
  }

  /**
   * Spoiling changes gradients, which must not count as arrivals; during a backward they cost one
   * extra check.
   */
  private synchronized void forgetSpoiled() {
    if (backwards == 0 && !sleeping.isEmpty()) {
      sleeping.reached(true);
    }
  }

  /** Whether there may be graphs that end at a cut, because a manager was closed too early. */
  synchronized boolean isCutOff() {
    return cutOff;
  }

  void remove(GradPoint point) {
    synchronized (this) {
      if (!take(point) && !usedUp.remove(point)) {
        return;
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

  /** Under the lock: from now on, the point counts only for its own graph. */
  private boolean take(GradPoint point) {
    boolean slept = sleeping.remove(point);
    boolean there = points.remove(point) || slept;
    if (there && point instanceof TensorPoint tensor) {
      tensor.forgetIn(tensors);
      retaining.remove(tensor);
    }
    return there;
  }

  /** A backward from {@code target} has used up the graph that {@code reached} are in. */
  void usedUp(NDArray target, List<GradPoint> reached) {
    if (reached.isEmpty()) {
      return;
    }
    forgetUsedUp(target);
    List<NDArray> leaves = new ArrayList<>();
    reached.forEach(point -> leaves.addAll(point.leaves()));
    AutogradGateway.instance().spoil(leaves);
    forgetSpoiled();
    synchronized (this) {
      usedUpBy = new WeakReference<>(target);
      for (GradPoint point : reached) {
        if (take(point)) {
          usedUp.add(point);
        }
      }
    }
  }

  private void forgetUsedUp(NDArray unlessBy) {
    List<GradPoint> over;
    synchronized (this) {
      over = usedUpBy.get() == unlessBy ? List.of() : List.copyOf(usedUp);
    }
    over.forEach(this::remove);
  }

  /** Under the lock: whether a backward must go through the points. */
  private void update() {
    boolean any = cutOff || isAny() || !leaves.isEmpty() || !usedUp.isEmpty();
    if (any != retained) {
      retained = any;
      if (any) {
        Dispatch.retainGradients();
      } else {
        Dispatch.releaseGradients();
      }
    }
  }

  /**
   * A backward from {@code target} begins after those of other threads have ended, because the
   * leaves of cuts show what arrives, but not from which backward. Within one thread, a backward
   * may be part of another. It begins to use the results of {@link #candidates} and others.
   */
  void enterBackward(NDArray target) {
    turn.lock();
    forgetUsedUp(target);
    synchronized (this) {
      List.copyOf(retaining).forEach(this::followChanged);
      backwards++;
    }
  }

  void leaveBackward() {
    synchronized (this) {
      if (--backwards == 0) {
        afterBackwards.forEach(Runnable::run);
        afterBackwards.clear();
        cutOff = false; // it has been reported, if it was this backward
        update();
      }
    }
    turn.unlock();
  }

  /** Whether the current backward is part of another. */
  synchronized boolean isNested() {
    return backwards > 1;
  }

  /** The points that a backward may reach and that do not sleep, last made first. */
  synchronized NavigableSet<GradPoint> candidates() {
    return new TreeSet<>(points);
  }

  /** Points that wait and those that sleep, last made first. */
  synchronized NavigableSet<GradPoint> withAsleep(NavigableSet<GradPoint> waiting) {
    if (sleeping.asleep().isEmpty()) {
      return waiting;
    }
    NavigableSet<GradPoint> all = new TreeSet<>(waiting);
    all.addAll(sleeping.asleep());
    return all;
  }

  /** Whether {@link #reachedAsleep} may return points. */
  synchronized boolean isAnyAsleep() {
    return !sleeping.isEmpty();
  }

  /** Whether a point that sleeps may have been made after {@code point}, and so fires before it. */
  synchronized boolean isAsleepAfter(GradPoint point) {
    return !sleeping.isEmpty() && sleeping.latest() >= point.sequence();
  }

  /**
   * The points, other than those checked one by one, that the engine's runs may have reached since
   * the last call.
   */
  synchronized List<GradPoint> reachedAsleep() {
    return sleeping.reached(backwards <= 1);
  }

  /** A gradient may have arrived at a sleeping point. */
  synchronized void wake(GradPoint point) {
    if (sleeping.wake(point)) {
      points.add(point);
    }
  }

  /** A backward has brought no gradient to these points. */
  synchronized void passedBy(List<GradPoint> unreached) {
    List<GradPoint> there = unreached.stream().filter(points::contains).toList();
    points.removeAll(sleeping.passedBy(there));
  }

  /** The points of the graph that a backward from {@code target} has used up, last made first. */
  synchronized List<GradPoint> usedUpBy(NDArray target) {
    return usedUpBy.get() == target ? lastFirst(usedUp) : List.of();
  }

  private static List<GradPoint> lastFirst(Set<GradPoint> points) {
    List<GradPoint> sorted = new ArrayList<>(points);
    sorted.sort(GradPoint.LAST_FIRST);
    return sorted;
  }

  /** Adds a hook to a tensor that is an operator's result. */
  public HookList tensor(NDArray tensor, HookEntry entry) {
    HookList hooks;
    synchronized (this) {
      hooks = pointOf(tensor).hooks();
      hooks.add(entry, false);
    }
    return hooks;
  }

  /** Lets a tensor that is an operator's result keep its gradient. */
  public synchronized void retainGrad(NDArray tensor) {
    TensorPoint point = pointOf(tensor);
    point.retainGrad(tensor);
    retaining.add(point);
  }

  private TensorPoint pointOf(NDArray tensor) {
    TensorPoint before = current(tensor);
    if (before != null && before.isCurrent(tensor)) {
      wake(before); // the caller may add a hook, and earlier uses bypass its cut
      return before;
    }
    TensorPoint made = TensorPoint.of(tensor, tensors.get(tensor) == null);
    if (before != null && before.isRetained()) {
      made.retainGrad(tensor, before);
      retaining.remove(before);
      retaining.add(made);
    }
    tensors.put(tensor, made);
    add(made);
    return made;
  }

  /** The model continues with the value after {@code cut}. */
  synchronized void handOn(Cut cut) {
    handedOn.put(cut.after(), new WeakReference<>(cut));
  }

  /** The cut that {@code array} lies directly after; null if there is none. */
  synchronized @Nullable Cut cutBefore(NDArray array) {
    TensorPoint point = pointAt(array);
    if (point != null) { // computed from a module's result, so it comes after the module's cut
      return point.cuts().get(0);
    }
    WeakReference<Cut> handed = handedOn.get(array);
    return handed == null ? null : handed.get();
  }

  /** Whether {@code array} lies directly after a cut. */
  synchronized boolean isHandedOn(NDArray array) {
    return handedOn.get(array) != null;
  }

  /**
   * Ensures that later uses of {@code array}, besides the module about to use it, do not lead a
   * backward past this point: the graph before it must run once, after all gradients have arrived.
   */
  synchronized void join(NDArray array) {
    if (handedOn.get(array) == null && !Tensors.isLeaf(array)) {
      pointOf(array);
    }
  }

  /** A tensor that keeps its gradient does so even after an in-place change. */
  private void followChanged(TensorPoint point) {
    NDArray changed = point.changed();
    if (changed != null) {
      pointOf(changed);
    }
  }

  private @Nullable TensorPoint current(NDArray tensor) {
    TensorPoint point = tensors.get(tensor);
    return point != null && (points.contains(point) || sleeping.contains(point)) ? point : null;
  }

  /** The current point of a tensor; null if it has none. */
  synchronized @Nullable TensorPoint pointAt(NDArray tensor) {
    TensorPoint point = current(tensor);
    return point != null && point.isCurrent(tensor) ? point : null;
  }

  /** Adds a hook to the gradient of a leaf. */
  public synchronized HookList leaf(NDArray leaf, HookEntry entry) {
    HookList hooks = leafPoint(leaf).hooks();
    hooks.add(entry, false);
    return hooks;
  }

  /** Adds a hook to the updated {@code .grad} of a leaf. */
  public synchronized HookList afterwards(NDArray leaf, HookEntry entry) {
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

  /** A leaf's hook was removed: a leaf without hooks is treated as before. */
  public synchronized void hookRemoved() {
    forgetLeavesIf(leaf -> !leaf.alive() || leaf.isBare());
  }

  private List<GradPoint> allOf() {
    List<GradPoint> all = new ArrayList<>(points);
    all.addAll(sleeping.asleep());
    return all;
  }

  /** Ends all points. */
  public void clear() {
    List<GradPoint> all;
    synchronized (this) {
      cutOff = false;
      forgetLeavesIf(leaf -> true);
      all = allOf();
      all.addAll(usedUp);
    }
    all.forEach(this::remove);
  }
}
