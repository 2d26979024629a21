package io.camhook.djl.backward;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.JniUtils;
import io.camhook.dispatch.UserFailure;
import io.camhook.djl.autograd.AutogradGateway;
import io.camhook.djl.autograd.GradMode;
import io.camhook.djl.autograd.NativeGrads;
import io.camhook.djl.autograd.Tensors;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/*
 * The engine makes no callbacks during a backward. So the graph is cut where hooks wait, and one backward becomes a
 * series of the engine's backwards:
 *
 *   1. The engine runs from the target. It ends at leaves: parameters and the like, whose .grad it updates, and those
 *      of cuts.
 *   2. Among the points where gradients have arrived, the one that was created last fires. Points created later can
 *      bring it nothing more, so its gradients are complete, as they are when autograd reaches a node.
 *   3. The engine continues on the other side of its cuts, with the gradients that the hooks have left. And so on.
 *
 * So every part of the graph runs backward once, whatever the hooks replace.
 *
 * The graph goes past a few points: a tensor that was used before its hook was registered, and values inside a
 * TorchScript model. The gradients that would go past such a point are computed before the engine runs (torch.grad),
 * and the point fires first. What its hooks replace becomes one more start of the same run, so that the sum at the tensor is
 * the replacement; if no floating-point number makes that sum exact, the backward is refused.
 *
 * The .grad of a leaf with gradient hooks is set aside, so that hooks see only what arrives. The leaf is done as soon
 * as no point is left through which more can come.
 *
 * All runs keep the graph, because a part that is reached past a cut may run again. If the caller does not keep the
 * graph, it still counts as used up: a later backward that reaches one of its cuts is refused.
 *
 * If a hook throws, the engine does not run on. What was differentiated before has its gradients, as in PyTorch.
 */
/** One backward over graphs with hooks. */
public final class HookedBackward {
  static final AtomicLong RUNS = new AtomicLong();

  private final GradPoints registry;
  private final PtNDArray target;
  private final boolean keepGraph;
  private final NDManager owner;
  private @Nullable NDManager scratch; // created with the first intermediate array
  private final AutogradGateway autograd = AutogradGateway.instance();
  private final NavigableSet<GradPoint> waiting; // last created first
  private final Set<GradPoint> direct = new LinkedHashSet<>(); // those that the graph may go past
  private final List<LeafBackward> leaves = new ArrayList<>();
  private final List<GradPoint> reached = new ArrayList<>();
  private final List<GradPoint> passedBy = new ArrayList<>();
  private final List<GradPoint> started = new ArrayList<>(); // of the run that is next, or over
  private @Nullable CompleteLeaves complete; // created once leaves and points are known
  private final Map<GradPoint, NDArray> past = new IdentityHashMap<>();
  private final List<Run> unasked = new ArrayList<>(); // may have reached points that sleep
  private List<NDArray> roots = new ArrayList<>();
  private List<NDArray> rootGrads = new ArrayList<>();

  /** A run of the engine. */
  private record Run(List<NDArray> roots, List<NDArray> gradients) {}

  private HookedBackward(
      GradPoints registry, PtNDArray target, PtNDArray gradient, boolean keepGraph) {
    this.registry = registry;
    this.target = target;
    this.keepGraph = keepGraph;
    this.owner = target.getManager();
    roots.add(target);
    rootGrads.add(gradient);
    waiting = registry.candidates();
    if (registry.isNested()) {
      waiting.removeIf(GradPoint::hasArrived); // a backward of which this one is a part brought it
    }
    for (GradPoint point : waiting) {
      if (point instanceof TensorPoint || point.isReachedDirectly()) {
        direct.add(point);
      }
    }
    for (LeafPoint leaf : registry.leaves()) {
      if (JniUtils.requiresGrad((PtNDArray) leaf.array())) {
        leaves.add(new LeafBackward(leaf));
      }
    }
  }

  /** The manager of intermediate arrays. */
  private NDManager scratch() {
    NDManager made = scratch;
    if (made == null) {
      made = owner.newSubManager();
      scratch = made;
    }
    return made;
  }

  private void close() {
    if (scratch != null) {
      scratch.close();
    }
  }

  /**
   * Runs hooks and backward.
   *
   * @return false if no hook is concerned, so that the engine runs as usual
   * @throws IllegalStateException if hooks cannot be exact here
   */
  public static boolean run(
      GradPoints registry,
      PtNDArray target,
      PtNDArray gradient,
      boolean keepGraph,
      boolean createGraph) {
    registry.enterBackward(target);
    try {
      if (createGraph && !Tensors.requiresGrad(target)) {
        return false; // the engine reports it; for a first derivative it does so below
      }
      HookedBackward backward = new HookedBackward(registry, target, gradient, keepGraph);
      try {
        return backward.run(createGraph);
      } finally {
        backward.close();
      }
    } catch (Throwable e) {
      // Whoever threw it: on a graph that is cut, the engine alone would stop half-way.
      UserFailure.mark(e);
      throw e;
    } finally {
      registry.leaveBackward();
    }
  }

  private boolean run(boolean createGraph) {
    if (waiting.isEmpty()
        && leaves.isEmpty()
        && !registry.isAnyAsleep()
        && registry.usedUpBy(target).isEmpty()
        && !registry.isCutOff()) {
      return false;
    }
    try (GradMode off = new GradMode(false)) {
      if (createGraph) {
        return refuseDoubleBackward();
      }
      LeafBackward.begin(leaves, this::scratch);
      try {
        runHooksAndEngine();
      } catch (Throwable e) {
        giveUp();
        throw e;
      }
      finish();
    }
    return true;
  }

  private void runHooksAndEngine() {
    while (true) {
      GradPoint direct = nextBeforeEngine();
      if (direct != null) {
        fireBeforeEngine(direct);
        continue;
      }
      if (!roots.isEmpty()) {
        runEngine();
        fireReadyLeaves();
      }
      GradPoint next = nextArrived();
      if (next == null) {
        break;
      }
      fire(next);
    }
    fireLeaves(LeafBackward.arrived(leaves));
  }

  // ---- points in a graph that goes past them

  /** A point that must fire before the engine continues; null if there is none. */
  private @Nullable GradPoint nextBeforeEngine() {
    if (roots.isEmpty()) {
      return null;
    }
    List<GradPoint> direct = reachedDirectly();
    if (direct.isEmpty()) {
      return null;
    }
    List<NDArray> tensors = new ArrayList<>();
    direct.forEach(point -> point.cuts().forEach(cut -> tensors.add(cut.before())));
    List<@Nullable NDArray> found = look(tensors);
    GradPoint first = firstWithAny(direct, found);
    if (first == null) {
      return null;
    }
    List<NDArray> ends = new ArrayList<>();
    List<GradPoint> later =
        registry.withAsleep(waiting).stream().takeWhile(point -> point != first).toList();
    later.forEach(point -> ends.addAll(point.leaves()));
    boolean comesLater =
        later.stream().anyMatch(GradPoint::hasArrived)
            || (!ends.isEmpty() && look(ends).stream().anyMatch(Objects::nonNull));
    if (!comesLater) {
      return first;
    }
    int at = 0;
    for (GradPoint point : direct) {
      for (int i = 0; i < point.cuts().size(); i++) {
        NDArray gradient = found.get(at++);
        if (gradient != null && point instanceof TensorPoint) {
          NDArray before = past.get(point);
          past.put(point, before == null ? gradient : own(before.add(gradient)));
        }
      }
    }
    return null;
  }

  private List<GradPoint> reachedDirectly() {
    List<GradPoint> found = List.of();
    for (GradPoint point : direct) {
      if (point.isReachedDirectly()) {
        found = found.isEmpty() ? new ArrayList<>() : found;
        found.add(point);
      }
    }
    return found;
  }

  private static @Nullable GradPoint firstWithAny(
      List<GradPoint> points, List<@Nullable NDArray> gradients) {
    int at = 0;
    for (GradPoint point : points) {
      int end = at + point.cuts().size();
      if (gradients.subList(at, end).stream().anyMatch(Objects::nonNull)) {
        return point;
      }
      at = end;
    }
    return null;
  }

  private void fireBeforeEngine(GradPoint point) {
    leave(point);
    reached.add(point);
    NDArray gone = past.remove(point);
    List<@Nullable NDArray> now = look(point.cuts().stream().map(Cut::before).toList());
    List<@Nullable NDArray> going = new ArrayList<>();
    now.forEach(gradient -> going.add(sum(gradient, gone)));
    try {
      goOn(point, going);
    } catch (Throwable e) {
      endAt(point, now, e);
      throw e;
    }
  }

  /**
   * A hook threw before the engine ran: only the part of the model after the tensor gets its
   * gradients.
   */
  private void endAt(GradPoint point, List<@Nullable NDArray> going, Throwable failure) {
    try {
      for (int i = 0; i < going.size(); i++) {
        Cut cut = point.cuts().get(i);
        NDArray gradient = going.get(i);
        if (cut.leaf() == null) {
          return;
        }
        if (gradient != null) {
          roots.add(cut.before());
          rootGrads.add(own(gradient.neg()));
        }
      }
      runEngine();
    } catch (Throwable e) {
      failure.addSuppressed(e);
    }
  }

  /**
   * Shows a point the gradients that have arrived, and starts the next run with what its hooks
   * leave.
   *
   * @param going by cut, what goes past it in any case; null where nothing does
   */
  private void goOn(GradPoint point, List<@Nullable NDArray> going) {
    List<@Nullable NDArray> arrived = new ArrayList<>();
    List<@Nullable NDArray> seen = new ArrayList<>();
    for (int i = 0; i < going.size(); i++) {
      NDArray gradient = point.cuts().get(i).take(keepGraph, scratch());
      arrived.add(gradient);
      seen.add(point.isBare() ? null : forHooks(sum(going.get(i), gradient)));
    }
    List<@Nullable NDArray> replaced = point.isBare() ? null : point.fire(seen);
    started.add(point);
    for (int i = 0; i < going.size(); i++) {
      Cut cut = point.cuts().get(i);
      if (replaced != null) {
        cut.requireReplaceable();
        NDArray next = replaced.get(i);
        if (next == null && arrived.get(i) != null) { // null for none: only zeros would continue
          next = cut.before().zerosLike();
          next.attach(scratch());
        }
        if (next != null) {
          start(point, cut, next, going.get(i));
        }
      } else if (arrived.get(i) != null) {
        continueAt(cut, arrived.get(i));
      }
    }
  }

  /** Adds to the next run what is missing for the sum at a tensor to be {@code wanted}. */
  private void start(GradPoint point, Cut cut, NDArray wanted, @Nullable NDArray going) {
    NDArray gradient = own(Tensors.inTypeOf(cut.before(), wanted, scratch()).duplicate());
    if (going != null) {
      NDArray difference = own(gradient.sub(going));
      if (difference.countNonzero().getLong() == 0) {
        return;
      }
      if (!own(difference.add(going)).contentEquals(gradient)) {
        throw new IllegalStateException(
            point.name()
                + ": it was used before its hook was registered, and the gradient that the hook"
                + " returned cannot be reached exactly; register the hook before the tensor is"
                + " used");
      }
      gradient = difference;
    }
    continueAt(cut, gradient);
  }

  /** The gradient continues on the other side of a cut. */
  private void continueAt(Cut cut, NDArray gradient) {
    Cut earlier = cut.earlier();
    GradPoint next = earlier == null ? null : earlier.point();
    if (earlier != null && next != null && waiting.contains(next)) {
      earlier.bring(gradient, scratch());
    } else {
      roots.add(cut.before());
      rootGrads.add(gradient);
    }
  }

  private static @Nullable NDArray sum(@Nullable NDArray one, @Nullable NDArray other) {
    return one == null ? other : other == null ? one : one.add(other);
  }

  private NDArray own(NDArray array) {
    array.attach(scratch());
    return array;
  }

  /** A copy, because the engine may still add to the memory of the array that it was given. */
  private @Nullable NDArray forHooks(@Nullable NDArray gradient) {
    return gradient == null ? null : Tensors.loose(Tensors.ownedBy(gradient.duplicate(), owner));
  }

  /** The gradients that the next run would bring to tensors; no {@code .grad} changes. */
  private List<@Nullable NDArray> look(List<NDArray> tensors) {
    RUNS.incrementAndGet();
    return autograd.grad(scratch(), roots, tensors, rootGrads, true);
  }

  // ---- cuts

  /** How often the engine has run or looked; for tests. */
  public static long engineRuns() {
    return RUNS.get();
  }

  private void runEngine() {
    RUNS.incrementAndGet();
    boolean asleep = registry.isAnyAsleep();
    boolean keep = keepGraph || !waiting.isEmpty() || !reached.isEmpty() || asleep;
    try {
      if (roots.size() == 1) {
        NativeGrads.backward(roots.get(0), rootGrads.get(0), keep);
      } else {
        autograd.backward(roots, rootGrads, keep);
      }
    } catch (RuntimeException e) {
      throw AutogradGateway.isSpoiled(e) ? unusable(e) : e;
    }
    if (asleep) {
      unasked.add(new Run(roots, rootGrads));
    }
    roots = new ArrayList<>();
    rootGrads = new ArrayList<>();
    if (!leaves.isEmpty() || !reachedDirectly().isEmpty()) {
      wakeReached(); // whether a leaf is complete, or a point before the engine, depends on them
    }
  }

  /** Wakes the points to which runs have brought something while they slept. */
  private void wakeReached() {
    if (unasked.isEmpty()) {
      return;
    }
    List<Run> over = List.copyOf(unasked);
    unasked.clear();
    List<GradPoint> points = registry.reachedAsleep();
    if (!points.isEmpty()) {
      over.forEach(run -> wakeReached(run, points));
    }
  }

  private void wakeReached(Run run, List<GradPoint> points) {
    List<NDArray> leaves = new ArrayList<>();
    points.forEach(point -> leaves.addAll(point.leaves()));
    RUNS.incrementAndGet();
    List<@Nullable NDArray> found =
        autograd.grad(scratch(), run.roots(), leaves, run.gradients(), true);
    int at = 0;
    for (GradPoint point : points) {
      boolean any = false;
      for (Cut cut : point.cuts()) {
        NDArray gradient = cut.isShared() ? found.get(at) : null;
        at++;
        if (gradient != null) {
          cut.bring(gradient, scratch());
          any = true;
        }
      }
      if (any) {
        registry.wake(point);
        waiting.add(point);
      }
    }
  }

  private IllegalStateException unusable(RuntimeException cause) {
    List<GradPoint> usedUp = registry.usedUpBy(target);
    if (usedUp.isEmpty() && registry.isCutOff()) {
      return new IllegalStateException(
          "the graph goes through a block with hooks whose arrays' manager was closed before this"
              + " backward, so the gradient cannot continue there; keep the manager open until the"
              + " backward has finished",
          cause);
    }
    for (GradPoint point : usedUp) {
      List<@Nullable NDArray> seen = look(point.leaves());
      if (seen.stream().anyMatch(Objects::nonNull)) {
        point.fire(
            seen.stream()
                .map(this::forHooks)
                .toList()); // as autograd reaches hooks before it misses what was freed
        break;
      }
    }
    return new IllegalStateException(
        "Trying to backward through the graph a second time: a backward has used it up; the first"
            + " one has to keep it (keepGraph)",
        cause);
  }

  /**
   * The last created point at which gradients have arrived; points created later no longer wait.
   */
  private @Nullable GradPoint nextArrived() {
    while (!waiting.isEmpty() || !unasked.isEmpty()) {
      if (waiting.isEmpty() || registry.isAsleepAfter(waiting.first())) {
        wakeReached();
      }
      if (waiting.isEmpty()) {
        break;
      }
      GradPoint point = waiting.first();
      if (past.containsKey(point) || point.hasArrived()) {
        return point;
      }
      leave(point);
      passedBy.add(point);
    }
    return null;
  }

  private void leave(GradPoint point) {
    waiting.remove(point);
    direct.remove(point);
  }

  private void fire(GradPoint point) {
    leave(point);
    reached.add(point);
    NDArray gone = past.remove(point);
    goOn(point, new ArrayList<>(Collections.nCopies(point.cuts().size(), gone)));
  }

  // ---- leaves

  private void fireReadyLeaves() {
    if (!leaves.isEmpty() && !waiting.isEmpty()) { // else all have what they get
      if (complete == null) {
        complete = new CompleteLeaves(leaves, registry, scratch());
      }
      fireLeaves(complete.after(started, waiting));
    }
    started.clear();
  }

  private void fireLeaves(List<LeafBackward> ready) {
    for (LeafBackward leaf : ready) {
      leaves.remove(leaf);
      leaf.fire(owner);
    }
  }

  /** Gradients that have arrived at points whose hooks have not run are lost, as in PyTorch. */
  private void giveUp() {
    leaves.forEach(LeafBackward::undo);
    for (GradPoint point : waiting) {
      if (point.hasArrived()) {
        point.cuts().forEach(cut -> cut.take(true, scratch()));
        reached.add(point);
      }
    }
    if (!keepGraph) {
      registry.usedUp(target, reached);
    }
  }

  private void finish() {
    leaves.forEach(LeafBackward::undo);
    for (GradPoint point : reached) {
      if (point instanceof TensorPoint tensor) {
        tensor.retain();
      }
    }
    if (!keepGraph) {
      registry.usedUp(target, reached);
    }
    registry.passedBy(passedBy);
  }

  /** Lets the engine run alone where no hook is concerned. */
  private boolean refuseDoubleBackward() {
    List<NDArray> ends = new ArrayList<>();
    List<String> names = new ArrayList<>();
    for (GradPoint point : registry.withAsleep(waiting)) {
      for (Cut cut : point.cuts()) {
        ends.add(cut.leaf() == null ? cut.before() : cut.leaf());
        names.add(point.name());
      }
    }
    for (LeafBackward leaf : leaves) {
      ends.add(leaf.array());
      names.add("a leaf of shape " + leaf.array().getShape());
    }
    List<@Nullable NDArray> found = ends.isEmpty() ? List.of() : look(ends);
    for (int i = 0; i < found.size(); i++) {
      if (found.get(i) != null) {
        throw new IllegalStateException(
            "backward with createGraph=true through the hooked "
                + names.get(i)
                + ": a second derivative would not see what its hooks do; remove the hooks first");
      }
    }
    return false;
  }
}
