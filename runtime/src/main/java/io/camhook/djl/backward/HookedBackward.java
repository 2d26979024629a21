package io.camhook.djl.backward;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.JniUtils;
import io.camhook.dispatch.UserFailure;
import io.camhook.djl.autograd.AutogradGateway;
import io.camhook.djl.autograd.Tensors;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/*
 * The engine calls nobody during a backward, so hooks run before it, on gradients that torch.grad computes
 * without touching any .grad:
 *
 *   1. The gradients at all points, in one call.
 *   2. The points fire, last made first; that is the order in which autograd reaches them, because a node
 *      depends on later ones only. When a hook replaces a gradient, the point's gate is closed and the
 *      replacement becomes another root behind the gate; then the gradients of the points still to come are
 *      computed again.
 *   3. The backward itself: the engine's own, if nothing was replaced, hence bit for bit what it is without
 *      hooks; else one with all roots. Only now .grad of leaves changes.
 *
 * So hooks that observe cost a second backward and change nothing. A leaf's hooks fire as soon as no point is
 * left that the leaf lies behind; what they replace is written into .grad afterwards.
 *
 * Where only the gradients of some tensors are asked for (torch.autograd.grad), the points that these lie behind
 * fire, and the third step is one more torch.grad.
 *
 * Over a graph that has been used up, step 1 fails; then the points fire one by one as far as there are
 * gradients, and the engine's own backward says what is wrong.
 *
 * If a hook throws, the engine runs once more with the gates of the points that have not fired closed, so that
 * what lies before them has its gradients, as in PyTorch, and the exception goes on.
 */
/** One backward over graphs with hooks. */
public final class HookedBackward {
  private static final ThreadLocal<Boolean> ENGINE = new ThreadLocal<>();

  private final GradPoints registry;
  private final PtNDArray target;
  private final NDManager owner;
  private final NDManager scratch;
  private final List<NDArray> roots = new ArrayList<>();
  private final List<NDArray> rootGrads = new ArrayList<>();
  private final @Nullable List<NDArray> asked;
  private final List<GradPoint> waiting;
  private final List<LeafPoint> waitingLeaves;
  private final List<GradPoint> reached = new ArrayList<>();
  private final Set<Gate> closed = Collections.newSetFromMap(new IdentityHashMap<>());
  private final Map<LeafPoint, NDArray> replacedLeaves = new IdentityHashMap<>();
  private final List<LeafPoint> reachedLeaves = new ArrayList<>();
  private final Map<GradPoint, List<@Nullable NDArray>> gradients = new IdentityHashMap<>();
  private final Map<GradPoint, Set<LeafPoint>> behind = new IdentityHashMap<>();

  private HookedBackward(
      GradPoints registry, PtNDArray target, PtNDArray gradient, @Nullable List<NDArray> asked) {
    this.registry = registry;
    this.target = target;
    this.asked = asked;
    this.owner = target.getManager();
    this.scratch = owner.newSubManager();
    roots.add(target);
    rootGrads.add(gradient);
    waiting = new ArrayList<>(registry.candidates(target));
    waitingLeaves = new ArrayList<>(registry.leaves());
  }

  /**
   * Runs hooks and backward.
   *
   * @return false if no hook is concerned: the engine is to run as ever
   * @throws IllegalStateException if hooks cannot be exact here
   */
  public static boolean run(
      GradPoints registry,
      PtNDArray target,
      PtNDArray gradient,
      boolean keepGraph,
      boolean createGraph) {
    if (!Tensors.requiresGrad(target)) {
      return false;
    }
    registry.enterBackward(target);
    try {
      HookedBackward backward = new HookedBackward(registry, target, gradient, null);
      try {
        return backward.run(keepGraph, createGraph);
      } finally {
        backward.scratch.close();
      }
    } finally {
      registry.leaveBackward();
    }
  }

  /**
   * The gradients of {@code inputs}, through the hooks on the way to them; no {@code .grad} of a
   * leaf changes.
   *
   * @return one entry per input; null where the output does not depend on it
   * @throws IllegalStateException if hooks cannot be exact here
   */
  public static List<@Nullable NDArray> grad(
      GradPoints registry,
      PtNDArray output,
      PtNDArray gradient,
      List<NDArray> inputs,
      boolean keepGraph) {
    registry.enterBackward(output);
    try {
      List<NDArray> asked = inputs.stream().map(registry::behindHooks).toList();
      HookedBackward backward = new HookedBackward(registry, output, gradient, asked);
      try {
        return backward.gradients(keepGraph);
      } finally {
        backward.scratch.close();
      }
    } finally {
      registry.leaveBackward();
    }
  }

  private List<@Nullable NDArray> gradients(boolean keepGraph) {
    boolean mode = JniUtils.isGradMode();
    JniUtils.setGradMode(false);
    try {
      if (findReached()) {
        fireWaiting();
      }
      List<@Nullable NDArray> found =
          AutogradGateway.instance().grad(owner, roots, inputs(), rootGrads, keepGraph);
      for (LeafPoint leaf : reachedLeaves) {
        found.set(position(leaf), replacedLeaves.getOrDefault(leaf, found.get(position(leaf))));
      }
      usedUp(keepGraph);
      return found;
    } finally {
      closed.forEach(gate -> gate.open(true));
      JniUtils.setGradMode(mode);
    }
  }

  private List<NDArray> inputs() {
    return Objects.requireNonNull(asked);
  }

  /** Which of the tensors asked for the leaf is; -1 if none. */
  private int position(LeafPoint leaf) {
    List<NDArray> inputs = inputs();
    for (int i = 0; i < inputs.size(); i++) {
      if (leaf.isOf(inputs.get(i))) {
        return i;
      }
    }
    return -1;
  }

  private boolean run(boolean keepGraph, boolean createGraph) {
    if (waiting.isEmpty() && waitingLeaves.isEmpty()) {
      return false;
    }
    boolean mode = JniUtils.isGradMode();
    JniUtils.setGradMode(false);
    try {
      if (!findReached() || waiting.isEmpty() && waitingLeaves.isEmpty()) {
        return false;
      }
      if (createGraph) {
        refuseDoubleBackward();
      }
      runHooks(keepGraph);
    } finally {
      closed.forEach(gate -> gate.open(true));
      JniUtils.setGradMode(mode);
    }
    usedUp(keepGraph);
    return true;
  }

  /**
   * What is thrown here is the application's, whoever threw it: hooks have run and gradients may
   * have been added up, so that the engine cannot begin anew.
   */
  private void runHooks(boolean keepGraph) {
    try {
      fireAll(keepGraph);
      accumulate(keepGraph);
    } catch (Throwable e) {
      UserFailure.mark(e);
      throw e;
    }
  }

  private void usedUp(boolean keepGraph) {
    if (!keepGraph) {
      registry.usedUp(target, reached);
    }
  }

  private void refuseDoubleBackward() {
    String who = waiting.isEmpty() ? "a leaf of shape " + leafShape() : waiting.get(0).name();
    throw UserFailure.of(
        new IllegalStateException(
            "backward with createGraph=true through the hooked "
                + who
                + ": a second derivative would not see what its hooks do; remove the hooks first"));
  }

  private String leafShape() {
    return waitingLeaves.get(0).array().getShape().toString();
  }

  /**
   * Leaves those points and leaves that this backward reaches.
   *
   * @return false if parts of the graph are gone: what could fire has fired
   */
  private boolean findReached() {
    try {
      evaluate();
    } catch (RuntimeException e) {
      fireWhatIsLeft();
      return false;
    }
    waiting.removeIf(point -> !isReached(point) || !isOnTheWay(point));
    waitingLeaves.removeIf(
        leaf ->
            !Tensors.isLeaf(leaf.array())
                || asked != null && position(leaf) < 0
                || grad(scratch, roots, List.of(leaf.array()), rootGrads).get(0) == null);
    if (!waitingLeaves.isEmpty()) {
      findWhatLiesBehind();
    }
    return true;
  }

  private void fireWhatIsLeft() {
    for (GradPoint point : waiting) {
      List<@Nullable NDArray> seen;
      try {
        seen = shown(point.observed());
      } catch (RuntimeException e) {
        return;
      }
      if (seen.stream().anyMatch(Objects::nonNull)) {
        fireForApplication(point, seen);
      }
    }
  }

  private static void fireForApplication(GradPoint point, List<@Nullable NDArray> seen) {
    try {
      point.fire(seen);
    } catch (Throwable e) {
      UserFailure.mark(e);
      throw e;
    }
  }

  /** Whether the gradient asked for, if any is, comes through the point. */
  private boolean isOnTheWay(GradPoint point) {
    return asked == null || sensed(point, asked).stream().anyMatch(Objects::nonNull);
  }

  private boolean isReached(GradPoint point) {
    return gradients.getOrDefault(point, List.of()).stream().anyMatch(Objects::nonNull);
  }

  /** Step 1: the gradients at the points that still wait. */
  private void evaluate() {
    List<NDArray> tensors = new ArrayList<>();
    for (GradPoint point : waiting) {
      tensors.addAll(point.observed());
    }
    List<@Nullable NDArray> all = tensors.isEmpty() ? List.of() : shown(tensors);
    closeUnseen();
    int next = 0;
    for (GradPoint point : waiting) {
      int end = next + point.observed().size();
      gradients.put(point, all.subList(next, end));
      next = end;
    }
  }

  private void closeUnseen() {
    for (GradPoint point : waiting) {
      for (NDArray gradient : gradients.getOrDefault(point, List.of())) {
        if (gradient != null) {
          gradient.close();
        }
      }
    }
    gradients.clear();
  }

  /** Which leaves get a gradient through which points. */
  private void findWhatLiesBehind() {
    List<NDArray> leaves = waitingLeaves.stream().map(LeafPoint::array).toList();
    for (GradPoint point : waiting) {
      Set<LeafPoint> found = Collections.newSetFromMap(new IdentityHashMap<>());
      List<@Nullable NDArray> sensed = sensed(point, leaves);
      for (int i = 0; i < leaves.size(); i++) {
        if (sensed.get(i) != null) {
          found.add(waitingLeaves.get(i));
        }
      }
      behind.put(point, found);
    }
  }

  /** Not null where a tensor gets a gradient through the point. */
  private List<@Nullable NDArray> sensed(GradPoint point, List<NDArray> tensors) {
    List<NDArray> from = point.gates().stream().map(Gate::before).toList();
    List<NDArray> ones =
        from.stream().map(a -> Tensors.inTypeOf(a, scratch.ones(a.getShape()), scratch)).toList();
    return grad(scratch, from, tensors, ones);
  }

  /** Step 2. */
  private void fireWaiting() {
    fireReadyLeaves();
    while (!waiting.isEmpty()) {
      GradPoint point = waiting.get(0);
      fire(point);
      waiting.remove(0);
      reached.add(point);
      fireReadyLeaves();
    }
  }

  private void fireAll(boolean keepGraph) {
    try {
      fireWaiting();
    } catch (Throwable e) {
      accumulateWhatIsDone(keepGraph, e);
      throw e;
    }
  }

  private void fire(GradPoint point) {
    List<@Nullable NDArray> seen = gradients.remove(point);
    if (seen == null || seen.stream().allMatch(Objects::isNull)) {
      return; // cut off by a replacement
    }
    List<@Nullable NDArray> replaced = point.fire(seen);
    if (replaced == null) {
      return;
    }
    for (int i = 0; i < replaced.size(); i++) {
      replace(point, i, replaced.get(i));
    }
    evaluate();
  }

  private void replace(GradPoint point, int position, @Nullable NDArray replacement) {
    Gate gate = point.gates().get(position);
    gate.open(false);
    closed.add(gate);
    if (replacement == null) {
      return;
    }
    NDArray root = gate.before();
    NDArray gradient = replacement.toType(root.getDataType(), false);
    if (point instanceof TensorPoint) {
      gradient = besideUngated(point, root, gradient);
    }
    roots.add(root);
    rootGrads.add(gradient);
  }

  /**
   * What to add at a tensor that was used before its gate was made, so that the sum is the
   * replacement.
   *
   * @throws IllegalStateException if no floating-point number makes the sum exact
   */
  private NDArray besideUngated(GradPoint point, NDArray root, NDArray wanted) {
    NDArray ungated = grad(scratch, roots, List.of(root), rootGrads).get(0);
    if (ungated == null || ungated.countNonzero().getLong() == 0) {
      return wanted;
    }
    NDArray difference = wanted.sub(ungated);
    difference.attach(scratch);
    if (!difference.add(ungated).contentEquals(wanted)) {
      throw new IllegalStateException(
          point.name()
              + ": it was used before its hook was registered, and the gradient that the hook"
              + " returned cannot be reached exactly; register the hook before the tensor is used");
    }
    return difference;
  }

  private void fireReadyLeaves() {
    for (LeafPoint leaf : List.copyOf(waitingLeaves)) {
      if (waiting.stream().anyMatch(point -> liesBehind(leaf, point))) {
        continue;
      }
      waitingLeaves.remove(leaf);
      NDArray gradient = shown(List.of(leaf.array())).get(0);
      if (gradient == null) {
        continue;
      }
      reachedLeaves.add(leaf);
      Shape shape = gradient.getShape();
      NDArray result = TensorPoint.run(leaf.hooks(), gradient);
      if (result != null) {
        if (!result.getShape().equals(shape)) {
          throw new IllegalStateException(
              "leaf of shape %s: a hook returned a gradient of shape %s"
                  .formatted(shape, result.getShape()));
        }
        replacedLeaves.put(leaf, result);
      }
    }
  }

  private boolean liesBehind(LeafPoint leaf, GradPoint point) {
    Set<LeafPoint> found = behind.get(point);
    return found != null && found.contains(leaf);
  }

  /** Step 3. */
  private void accumulate(boolean keepGraph) {
    Map<LeafPoint, NDArray> sums = new IdentityHashMap<>();
    replacedLeaves.forEach((leaf, gradient) -> sums.put(leaf, sum(leaf, gradient)));
    if (closed.isEmpty()) {
      runEngine(target, (PtNDArray) rootGrads.get(0), keepGraph);
    } else {
      AutogradGateway.instance().backward(scratch, roots, rootGrads, keepGraph);
    }
    sums.forEach(
        (leaf, sum) -> {
          try (NDArray grad = leaf.array().getGradient()) {
            AutogradGateway.instance().copy(scratch, grad, sum);
          }
        });
    for (GradPoint point : reached) {
      if (point instanceof TensorPoint tensor) {
        tensor.retain();
      }
    }
    reachedLeaves.forEach(LeafPoint::accumulated);
  }

  /** The engine's own backward; its call comes back to the agent, which lets it pass. */
  private static void runEngine(PtNDArray target, PtNDArray gradient, boolean keepGraph) {
    ENGINE.set(Boolean.TRUE);
    try {
      JniUtils.backward(target, gradient, keepGraph, false);
    } finally {
      ENGINE.remove();
    }
  }

  /** Whether the backward that begins on this thread is {@link #runEngine}'s. */
  public static boolean isEngines() {
    return ENGINE.get() != null;
  }

  /** What {@code .grad} is to be: what it was and the replacement. */
  private NDArray sum(LeafPoint leaf, NDArray gradient) {
    try (NDArray before = leaf.array().getGradient()) {
      NDArray sum = before.add(gradient);
      sum.attach(scratch);
      return sum;
    }
  }

  private void accumulateWhatIsDone(boolean keepGraph, Throwable failure) {
    try {
      for (GradPoint point : waiting) {
        for (Gate gate : point.gates()) {
          gate.open(false);
          closed.add(gate);
        }
      }
      for (GradPoint point : waiting) {
        if (point instanceof TensorPoint) {
          NDArray root = point.gates().get(0).before();
          NDArray zeros = scratch.zeros(root.getShape(), root.getDataType());
          NDArray opposite = besideUngated(point, root, zeros);
          roots.add(root);
          rootGrads.add(opposite);
        }
      }
      accumulate(keepGraph);
      reached.addAll(waiting);
      usedUp(keepGraph);
    } catch (Throwable e) {
      failure.addSuppressed(e);
    }
  }

  /** Gradients for hooks, which may keep them. */
  private List<@Nullable NDArray> shown(List<NDArray> tensors) {
    List<@Nullable NDArray> found = grad(owner, roots, tensors, rootGrads);
    for (NDArray gradient : found) {
      if (gradient != null) {
        Tensors.loose(gradient);
      }
    }
    return found;
  }

  private static List<@Nullable NDArray> grad(
      NDManager owner, List<NDArray> outputs, List<NDArray> inputs, List<NDArray> grads) {
    return AutogradGateway.instance().grad(owner, outputs, inputs, grads, true);
  }
}
