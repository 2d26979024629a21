package io.camhook.djl.backward;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * A point in a graph where hooks see the gradient and may replace it. Points fire in the order of
 * autograd's own nodes: the last created first.
 */
abstract class GradPoint {
  /** The order in which points fire. */
  static final Comparator<GradPoint> LAST_FIRST =
      Comparator.comparingLong(GradPoint::sequence)
          .thenComparingLong(point -> point.number)
          .reversed();

  private static final AtomicLong COUNT = new AtomicLong();

  private final long sequence;
  private final long number = COUNT.incrementAndGet(); // distinguishes points of one clock tick
  private @Nullable Runnable end;
  private int passes;

  /**
   * @param sequence {@link System#nanoTime} when the point's node in the graph was made
   */
  GradPoint(long sequence) {
    this.sequence = sequence;
  }

  final long sequence() {
    return sequence;
  }

  /** The cuts at the tensors whose gradients the hooks see. */
  abstract List<Cut> cuts();

  /**
   * Whether gradients may arrive at the tensors themselves, not only at the leaves of the cuts:
   * uses of a tensor from before its hook, or values in a graph that cannot be cut.
   */
  boolean isReachedDirectly() {
    return false;
  }

  /** Whether it has no hooks any more. */
  boolean isBare() {
    return false;
  }

  /** The leaves of its cuts, where gradients arrive. */
  final List<NDArray> leaves() {
    List<NDArray> leaves = new ArrayList<>(1);
    for (Cut cut : cuts()) {
      NDArray leaf = cut.leaf();
      if (leaf != null) {
        leaves.add(leaf);
      }
    }
    return leaves;
  }

  /** Whether a backward has brought it a gradient that hooks have not seen. */
  final boolean hasArrived() {
    for (Cut cut : cuts()) {
      if (cut.hasArrived()) {
        return true;
      }
    }
    return false;
  }

  /** A backward has passed by. Returns how many have since the last {@link #reached}. */
  final int passed() {
    return ++passes;
  }

  /** A gradient has arrived here, or may soon. */
  final void reached() {
    passes = 0;
  }

  /** Runs {@code then} when a manager of the arrays around the point is closed. */
  final void atEnd(Runnable then) {
    end = then;
    cuts().forEach(cut -> cut.lifetime().atEnd(then));
  }

  /** Whether it ends with the manager of an array around {@code other}. */
  final boolean livesWith(GradPoint other) {
    for (Cut cut : cuts()) {
      for (Cut its : other.cuts()) {
        if (cut.lifetime() == its.lifetime()) {
          return true;
        }
      }
    }
    return false;
  }

  /** Undoes {@link #atEnd}. */
  final void forgetEnd() {
    Runnable then = end;
    if (then != null) {
      cuts().forEach(cut -> cut.lifetime().forget(then));
    }
  }

  /**
   * Runs the hooks.
   *
   * @param gradients one per cut, null if there is none
   * @return the replacement gradients, with null entries for none; null if nothing is replaced
   */
  abstract @Nullable List<@Nullable NDArray> fire(List<@Nullable NDArray> gradients);

  /** What it belongs to, for messages. */
  abstract String name();

  /** Ends the point. */
  void release() {
    cuts().forEach(Cut::release);
  }

  /** Checks a replacement. */
  final void requireShape(@Nullable NDArray replacement, NDArray tensor) {
    if (replacement == null) {
      return;
    }
    Shape expected = tensor.getShape();
    if (!replacement.getShape().equals(expected)) {
      throw new IllegalStateException(
          "%s: a hook returned a gradient of shape %s, expected %s"
              .formatted(name(), replacement.getShape(), expected));
    }
  }
}
