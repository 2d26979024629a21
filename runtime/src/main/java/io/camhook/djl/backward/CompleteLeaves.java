package io.camhook.djl.backward;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.camhook.djl.autograd.AutogradGateway;
import io.camhook.djl.autograd.Tensors;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/*
 * The hooks of a leaf run as soon as nothing more can arrive at it: `post_fc3` before `bp_fc2`. So the leaf
 * must have a gradient, and no point that has yet to fire may lead to it. The engine is asked once per point
 * where it leads, with a gradient of ones from the point to all earlier cuts. The rest is set arithmetic, so a
 * backward with hooks on n leaves and at n places asks n times. Nothing is asked before the first leaf has a
 * gradient.
 */
/** Tracks which hooked leaves have their complete gradient while a backward runs. */
final class CompleteLeaves {
  private final List<LeafBackward> all;
  private final GradPoints registry;
  private final NDManager scratch;
  private final AutogradGateway autograd = AutogradGateway.instance();
  private final BitSet missing = new BitSet();
  private final BitSet arrived = new BitSet();
  private final Map<GradPoint, Successors> ways = new IdentityHashMap<>();
  private final Map<GradPoint, BitSet> onward = new IdentityHashMap<>();
  private @Nullable Set<GradPoint> open;

  /** The points and leaves that a gradient reaches next from a point. */
  private record Successors(List<GradPoint> points, BitSet leaves) {}

  /**
   * @param all with hooks @param registry knows the points that sleep @param scratch manager of
   *     intermediate arrays
   */
  CompleteLeaves(List<LeafBackward> all, GradPoints registry, NDManager scratch) {
    this.all = List.copyOf(all);
    this.registry = registry;
    this.scratch = scratch;
    missing.set(0, all.size());
  }

  /**
   * The leaves that the last run has made complete.
   *
   * @param from the points that the run began at; the target's run has none
   * @param waiting the points that have not fired, last made first
   */
  List<LeafBackward> after(Collection<GradPoint> from, NavigableSet<GradPoint> waiting) {
    lookFor(from);
    if (arrived.isEmpty()) {
      return List.of();
    }
    BitSet complete = (BitSet) arrived.clone();
    for (GradPoint point : open(from, waiting)) {
      complete.andNot(onward(point, waiting));
    }
    arrived.andNot(complete);
    return complete.stream().mapToObj(all::get).toList();
  }

  /** Notes which leaves have a gradient now. */
  private void lookFor(Collection<GradPoint> from) {
    BitSet possible = (BitSet) missing.clone();
    if (!from.isEmpty() && ways.keySet().containsAll(from)) {
      BitSet direct = new BitSet();
      from.forEach(point -> direct.or(Objects.requireNonNull(ways.get(point)).leaves()));
      possible.and(direct);
    }
    if (possible.isEmpty()) {
      return;
    }
    int[] places = possible.stream().toArray();
    List<LeafBackward> asked = Arrays.stream(places).mapToObj(all::get).toList();
    Set<LeafBackward> found = new HashSet<>(LeafBackward.arrived(asked));
    for (int place : places) {
      if (found.contains(all.get(place))) {
        arrived.set(place);
        missing.clear(place);
      }
    }
  }

  /** The points at which gradients have arrived, and perhaps some others. */
  private Set<GradPoint> open(Collection<GradPoint> from, NavigableSet<GradPoint> waiting) {
    Set<GradPoint> now = open;
    if (now != null && !from.isEmpty() && ways.keySet().containsAll(from)) {
      for (GradPoint point : from) {
        now.addAll(Objects.requireNonNull(ways.get(point)).points());
      }
      now.retainAll(waiting);
      return now;
    }
    now = new LinkedHashSet<>();
    for (GradPoint point : waiting) {
      if (point.hasArrived()) {
        now.add(point);
      }
    }
    open = now;
    return now;
  }

  /** The leaves that a gradient at {@code from} reaches, also through the points after it. */
  private BitSet onward(GradPoint from, NavigableSet<GradPoint> waiting) {
    BitSet known = onward.get(from);
    if (known != null) {
      return known;
    }
    Set<GradPoint> reached = new LinkedHashSet<>(List.of(from));
    List<GradPoint> next = new ArrayList<>(reached);
    for (int i = 0; i < next.size(); i++) {
      for (GradPoint point : ways(next.get(i), waiting).points()) {
        if (!onward.containsKey(point) && reached.add(point)) {
          next.add(point);
        }
      }
    }
    next.sort(Comparator.comparingLong(GradPoint::sequence)); // paths lead to earlier points
    for (GradPoint point : next) {
      Successors direct = ways(point, waiting);
      BitSet leaves = (BitSet) direct.leaves().clone();
      for (GradPoint earlier : direct.points()) {
        leaves.or(onward.getOrDefault(earlier, new BitSet()));
      }
      onward.put(point, leaves);
    }
    return Objects.requireNonNull(onward.get(from));
  }

  private Successors ways(GradPoint point, NavigableSet<GradPoint> waiting) {
    return ways.computeIfAbsent(point, from -> ask(from, waiting));
  }

  private Successors ask(GradPoint point, NavigableSet<GradPoint> waiting) {
    List<NDArray> from = point.cuts().stream().map(Cut::before).toList();
    List<NDArray> ones =
        from.stream().map(a -> Tensors.inTypeOf(a, scratch.ones(a.getShape()), scratch)).toList();
    List<NDArray> ends = new ArrayList<>();
    List<GradPoint> owners = new ArrayList<>();
    for (GradPoint earlier : registry.withAsleep(waiting)) {
      if (earlier.sequence() <= point.sequence() && earlier != point) {
        for (NDArray leaf : earlier.leaves()) {
          ends.add(leaf);
          owners.add(earlier);
        }
      }
    }
    BitSet unfired = (BitSet) missing.clone();
    unfired.or(arrived);
    int[] places = unfired.stream().toArray();
    for (int place : places) {
      ends.add(all.get(place).array());
    }
    HookedBackward.RUNS.incrementAndGet();
    Set<GradPoint> points = new LinkedHashSet<>();
    BitSet leaves = new BitSet();
    autograd.reached(from, ends, ones).stream()
        .forEach(
            i -> {
              if (i < owners.size()) {
                points.add(owners.get(i));
              } else {
                leaves.set(places[i - owners.size()]);
              }
            });
    return new Successors(List.copyOf(points), leaves);
  }
}
