package io.camhook.djl.backward;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A place in a graph where hooks see the gradient and may replace it. Points fire in the order of
 * autograd's own nodes: the one made last first.
 */
abstract class GradPoint {
  private final long sequence;
  private @Nullable Runnable end;

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
   * Whether gradients may come to the tensors themselves, not only to the leaves of the cuts: uses
   * of a tensor from before its hook, or values in a graph that cannot be cut.
   */
  boolean isReachedDirectly() {
    return false;
  }

  /** Whether it has no hooks any more. */
  boolean isBare() {
    return false;
  }

  /** Runs {@code then} when a manager of the arrays around the point is closed. */
  final void atEnd(Runnable then) {
    end = then;
    cuts().forEach(cut -> cut.lifetime().atEnd(then));
  }

  /** Takes back {@link #atEnd}. */
  final void forgetEnd() {
    Runnable then = end;
    if (then != null) {
      cuts().forEach(cut -> cut.lifetime().forget(then));
    }
  }

  /**
   * Runs the hooks.
   *
   * @param gradients one per cut, null where there is none
   * @return the gradients that take their place, null for none; null if nothing is replaced
   */
  abstract @Nullable List<@Nullable NDArray> fire(List<@Nullable NDArray> gradients);

  /** Who it belongs to, for messages. */
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
