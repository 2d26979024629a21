package io.camhook.djl.session;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.camhook.djl.autograd.AutogradGateway;
import io.camhook.djl.autograd.Tensors;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/*
 * A guided ReLU passes g·(x > 0)·(g > 0) back. The clamp of g is not a derivative of anything, so no graph can
 * contain it. So the graph is cut after every ReLU and differentiated piece by piece, the last one first: the
 * gradient that arrives at a cut, from all the pieces after it, is clamped and passed on to the piece before
 * it.
 */
/**
 * Guided backpropagation (Springenberg et al., "Striving for Simplicity", 2015) over a graph that
 * is cut after every ReLU.
 */
final class GuidedBackward {
  /**
   * A ReLU's output.
   *
   * @param before the output in the graph that ends here
   * @param after the leaf of the graph that begins here, with the same values
   */
  record Cut(NDArray before, NDArray after) {}

  private final NDManager scratch;
  private final Map<NDArray, NDArray> arrived = new IdentityHashMap<>();

  private GuidedBackward(NDManager scratch) {
    this.scratch = scratch;
  }

  /**
   * The guided gradient of ⟨seed, output⟩ with respect to {@code input}.
   *
   * @param cuts in the order in which they were made
   * @return null if the output does not depend on the input
   */
  static @Nullable NDArray run(
      NDArray output, NDArray seed, List<Cut> cuts, NDArray input, NDManager scratch) {
    GuidedBackward backward = new GuidedBackward(scratch);
    List<NDArray> leaves = new ArrayList<>(List.of(input));
    cuts.forEach(cut -> leaves.add(cut.after()));
    backward.piece(output, seed, leaves);
    for (int i = cuts.size() - 1; i >= 0; i--) {
      Cut cut = cuts.get(i);
      NDArray gradient = backward.arrived.get(cut.after());
      if (gradient != null && Tensors.requiresGrad(cut.before())) {
        backward.piece(cut.before(), gradient.maximum(0), leaves.subList(0, i + 1));
      }
    }
    return backward.arrived.get(input);
  }

  /** Differentiates one piece and adds what arrives at its leaves. */
  private void piece(NDArray end, NDArray gradient, List<NDArray> leaves) {
    List<@Nullable NDArray> found =
        AutogradGateway.instance().grad(scratch, List.of(end), leaves, List.of(gradient), true);
    for (int i = 0; i < leaves.size(); i++) {
      NDArray part = found.get(i);
      if (part != null) {
        NDArray before = arrived.get(leaves.get(i));
        arrived.put(leaves.get(i), before == null ? part : before.add(part));
      }
    }
  }
}
