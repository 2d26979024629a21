package io.camhook.djl.backward;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.pytorch.engine.PtNDArray;
import io.camhook.djl.autograd.AutogradGateway;
import io.camhook.djl.autograd.GradMode;
import io.camhook.djl.autograd.Tensors;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Gradients with respect to given tensors across cuts, without changing any {@code .grad} ({@code
 * torch.autograd.grad}). The points on the paths to the tensors fire, last created first. To find
 * them, the points are examined in order of creation for what each leads to.
 */
public final class HookedGrad {
  private static final int FEW = 64; // points that are asked one by one where they lead

  private final GradPoints registry;
  private final NDManager owner;
  private final NDManager scratch;
  private final AutogradGateway autograd = AutogradGateway.instance();
  private final boolean firing;
  private final boolean keepGraph;
  private final List<NDArray> asked = new ArrayList<>();
  private final List<@Nullable TensorPoint> askedPoints = new ArrayList<>();
  private final List<@Nullable NDArray> answers = new ArrayList<>();
  private final List<GradPoint> onTheWay = new ArrayList<>(); // last made first
  private final Map<NDArray, NDArray> arrived = new IdentityHashMap<>(); // by leaf, or tensor
  private final List<GradPoint> reached = new ArrayList<>();
  private List<NDArray> roots;
  private List<NDArray> rootGrads;

  private HookedGrad(
      GradPoints registry,
      NDManager owner,
      List<NDArray> outputs,
      List<NDArray> gradients,
      List<NDArray> inputs,
      boolean firing,
      boolean keepGraph) {
    this.registry = registry;
    this.owner = owner;
    this.scratch = owner.newSubManager();
    this.firing = firing;
    this.keepGraph = keepGraph;
    this.roots = outputs;
    this.rootGrads = gradients;
    for (NDArray input : inputs) {
      TensorPoint point = registry.pointAt(input);
      asked.add(point == null ? input : point.before());
      askedPoints.add(point);
      answers.add(null);
    }
  }

  /**
   * The gradients of {@code inputs}, through the hooks on the way to them.
   *
   * @return one entry per input; null if the output does not depend on it
   */
  public static List<@Nullable NDArray> grad(
      GradPoints registry,
      PtNDArray output,
      PtNDArray gradient,
      List<NDArray> inputs,
      boolean keepGraph) {
    registry.enterBackward(output);
    try (GradMode off = new GradMode(false)) {
      HookedGrad grad =
          new HookedGrad(
              registry,
              output.getManager(),
              List.of(output),
              List.of(gradient),
              inputs,
              true,
              keepGraph);
      try {
        grad.run(List.copyOf(registry.withAsleep(registry.candidates())));
      } finally {
        grad.scratch.close();
      }
      if (!keepGraph) {
        registry.usedUp(output, grad.reached);
      }
      return grad.answers;
    } finally {
      registry.leaveBackward();
    }
  }

  private void run(List<GradPoint> candidates) {
    findTheWay(candidates.size() > FEW ? reached(candidates) : candidates);
    while (!roots.isEmpty() || !onTheWay.isEmpty()) {
      runEngine();
      GradPoint next = null;
      while (next == null && !onTheWay.isEmpty()) {
        GradPoint point = onTheWay.remove(0);
        next = ends(point).stream().anyMatch(arrived::containsKey) ? point : null;
      }
      if (next != null) {
        fire(next);
      }
    }
    for (int i = 0; i < asked.size(); i++) {
      if (askedPoints.get(i) == null) {
        answers.set(i, ofLeaf(asked.get(i), answers.get(i)));
      }
    }
  }

  /**
   * The points that a gradient at the outputs reaches, if there are many points: most then belong
   * to other graphs, and asking from the outputs on takes one query per reached point.
   */
  private List<GradPoint> reached(List<GradPoint> candidates) {
    Set<GradPoint> found = new HashSet<>();
    List<NDArray> from = roots;
    while (!from.isEmpty()) {
      List<NDArray> ends = new ArrayList<>();
      List<GradPoint> owners = new ArrayList<>();
      for (GradPoint point : candidates) {
        for (NDArray end : found.contains(point) ? List.<NDArray>of() : ends(point)) {
          ends.add(end);
          owners.add(point);
        }
      }
      List<NDArray> next = new ArrayList<>();
      HookedBackward.RUNS.incrementAndGet();
      for (int i : autograd.reached(from, ends, ones(from)).stream().toArray()) {
        if (found.add(owners.get(i))) {
          owners.get(i).cuts().forEach(cut -> next.add(cut.before()));
        }
      }
      from = next;
    }
    return candidates.stream().filter(found::contains).toList();
  }

  private List<NDArray> ones(List<NDArray> like) {
    return like.stream()
        .map(a -> Tensors.inTypeOf(a, scratch.ones(a.getShape()), scratch))
        .toList();
  }

  private void findTheWay(List<GradPoint> candidates) {
    List<NDArray> wanted = new ArrayList<>(asked);
    for (int i = candidates.size() - 1; i >= 0; i--) {
      GradPoint point = candidates.get(i);
      boolean isAsked = point instanceof TensorPoint && askedPoints.contains(point);
      List<NDArray> from = point.cuts().stream().map(Cut::before).toList();
      HookedBackward.RUNS.incrementAndGet();
      if (isAsked || !autograd.reached(from, wanted, ones(from)).isEmpty()) {
        onTheWay.add(0, point);
        wanted.addAll(leaves(point));
      }
    }
  }

  private static List<NDArray> leaves(GradPoint point) {
    return point.cuts().stream().map(Cut::leaf).filter(Objects::nonNull).toList();
  }

  /**
   * The arrays at which gradients reach a point: its leaves, and its tensors if uses bypass them.
   */
  private static List<NDArray> ends(GradPoint point) {
    List<NDArray> ends = new ArrayList<>(leaves(point));
    if (point.isReachedDirectly()) {
      point.cuts().forEach(cut -> ends.add(cut.before()));
    }
    return ends;
  }

  private void runEngine() {
    if (roots.isEmpty()) {
      return;
    }
    List<NDArray> ends = new ArrayList<>();
    onTheWay.forEach(point -> ends.addAll(ends(point)));
    boolean keep = keepGraph || !onTheWay.isEmpty() || !reached.isEmpty();
    List<NDArray> all = new ArrayList<>(ends);
    all.addAll(asked);
    List<@Nullable NDArray> found = autograd.grad(owner, roots, all, rootGrads, keep);
    for (int i = 0; i < found.size(); i++) {
      NDArray gradient = found.get(i);
      if (gradient == null) {
        continue;
      }
      Tensors.loose(gradient);
      if (i < ends.size()) {
        arrived.merge(ends.get(i), gradient, this::sum);
      } else if (askedPoints.get(i - ends.size()) == null) {
        NDArray before = answers.get(i - ends.size());
        answers.set(i - ends.size(), before == null ? gradient : sum(before, gradient));
      }
    }
    roots = new ArrayList<>();
    rootGrads = new ArrayList<>();
  }

  private NDArray sum(NDArray one, NDArray other) {
    return Tensors.loose(Tensors.ownedBy(one.add(other), owner));
  }

  private void fire(GradPoint point) {
    reached.add(point);
    List<@Nullable NDArray> seen = new ArrayList<>();
    List<@Nullable NDArray> direct = new ArrayList<>();
    for (Cut cut : point.cuts()) {
      NDArray leaf = cut.leaf();
      NDArray going = point.isReachedDirectly() ? arrived.get(cut.before()) : null;
      NDArray here = leaf == null ? null : arrived.get(leaf);
      direct.add(going);
      seen.add(going == null ? here : here == null ? going : sum(going, here));
    }
    boolean silent = !firing || point.isBare();
    List<@Nullable NDArray> replaced = silent ? null : point.fire(seen);
    for (int i = 0; i < seen.size(); i++) {
      Cut cut = point.cuts().get(i);
      NDArray next = replaced == null ? seen.get(i) : replaced.get(i);
      if (replaced != null) {
        cut.requireReplaceable();
      }
      if (point instanceof TensorPoint) {
        answer(point, next);
      }
      NDArray gone = direct.get(i);
      if (next == null || cut.leaf() == null || next == gone) {
        continue;
      }
      roots.add(cut.before());
      rootGrads.add(gone == null ? next : next.sub(gone));
    }
  }

  private void answer(GradPoint point, @Nullable NDArray gradient) {
    for (int i = 0; i < asked.size(); i++) {
      if (askedPoints.get(i) == point) {
        answers.set(i, gradient);
      }
    }
  }

  /** A leaf's gradient after its hooks. */
  private @Nullable NDArray ofLeaf(NDArray tensor, @Nullable NDArray gradient) {
    if (gradient == null || !firing) {
      return gradient;
    }
    for (LeafPoint leaf : registry.leaves()) {
      if (leaf.isOf(tensor)) {
        NDArray replaced =
            TensorPoint.run(leaf.hooks(), Tensors.loose(Tensors.alias(gradient, owner)));
        return replaced == null ? gradient : replaced;
      }
    }
    return gradient;
  }

  /**
   * Like {@link #grad}, from several outputs, without running any hook.
   *
   * @param owner manager of the result
   */
  public static List<@Nullable NDArray> past(
      GradPoints registry,
      NDManager owner,
      List<NDArray> outputs,
      List<NDArray> gradients,
      List<NDArray> inputs) {
    try (GradMode off = new GradMode(false)) {
      HookedGrad grad =
          new HookedGrad(
              registry,
              owner,
              new ArrayList<>(outputs),
              new ArrayList<>(gradients),
              inputs,
              false,
              true);
      try {
        grad.run(List.copyOf(registry.withAsleep(registry.candidates())));
      } finally {
        grad.scratch.close();
      }
      return grad.answers;
    }
  }
}
