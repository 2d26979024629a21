package io.camhook.djl.pass;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.NDScope;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.engine.PtSymbolBlock;
import ai.djl.pytorch.jni.IValue;
import ai.djl.pytorch.jni.JniUtils;
import io.camhook.djl.autograd.ModuleCalls;
import io.camhook.torchscript.twin.TapPlan;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One pass through a TorchScript model that returns a tensor, with the gradients of one class score
 * per sample, in one native call, or in two if the first part of the model needs no gradients. If
 * only averaging follows the tap, autograd is not used at all, and the arrays are those of {@code
 * forward} in inference mode. No array is in a graph; all but {@code output} are in the given
 * manager.
 *
 * @param output what {@code forward} would have returned, in the manager of the inputs
 * @param scores a copy of it
 * @param explained reads {@link #classes} while the recorded arrays are open
 * @param classifierRows {@code [N,C]}: the rows of the classifier's weight for the classes; null if
 *     the first tap's channels do not fit it
 * @param labels the names of the taps
 * @param taps the recorded tensors
 * @param gradients one per tap; null if there is none
 */
public record GradientPass(
    NDArray output,
    NDArray scores,
    Supplier<List<Integer>> explained,
    @Nullable NDArray classifierRows,
    List<TapPlan.Label> labels,
    List<NDArray> taps,
    List<@Nullable NDArray> gradients) {
  /** The explained class of each sample; empty if nothing could be differentiated. */
  public List<Integer> classes() {
    return explained.get();
  }

  /**
   * Runs the model. This thread's grad mode must be on.
   *
   * @param training whether {@code forward} would have run outside of inference mode
   * @param target the class to explain for all samples; negative for each sample's best
   * @param owner manager of what is recorded
   */
  public static GradientPass run(
      PtSymbolBlock block,
      TapPlan plan,
      int target,
      NDList inputs,
      boolean training,
      NDManager owner) {
    long[] classes = target < 0 ? new long[0] : new long[] {target};
    if (plan.averagedMethod() != null && !training) {
      GradientPass pass = averaged(block, plan, classes, inputs, owner);
      if (pass != null) {
        return pass;
      }
    }
    try (IValue both = run(block, plan, classes, inputs, training)) {
      IValue[] parts = both.toIValueTuple();
      try {
        NDArray[] all = parts[0].toTensorArray((PtNDManager) owner);
        return of(all, parts[1].toStringValue(), plan, inputs.head().getManager());
      } finally {
        for (IValue part : parts) {
          part.close();
        }
      }
    }
  }

  /**
   * Runs the model without autograd. It reads handles only, because every native call after a
   * forward finds cold caches.
   *
   * @return null if dropout is active, so that the model was not run
   */
  private static @Nullable GradientPass averaged(
      PtSymbolBlock block, TapPlan plan, long[] classes, NDList inputs, NDManager owner) {
    String method = Objects.requireNonNull(plan.averagedMethod());
    NDArray[] all;
    try (IValue list = ModuleCalls.run(block, method, classes, inputs, false)) {
      all = list.toTensorArray((PtNDManager) owner);
    }
    if (all.length == 0) {
      return null;
    }
    ownedBut(all, inputs.head().getManager());
    NDArray best = all.length > 3 ? all[3] : null;
    return new GradientPass(
        all[0],
        all[1],
        () -> explained(all[1], classes, best),
        all.length > 5 ? all[4] : null,
        plan.labels(Integer.toString(plan.taps().get(0).site())),
        List.of(all[2]),
        Collections.singletonList(best == null ? null : all[all.length - 1]));
  }

  private static List<Integer> explained(NDArray scores, long[] given, @Nullable NDArray best) {
    if (given.length > 0) {
      return Collections.nCopies((int) scores.getShape().get(0), (int) given[0]);
    }
    return best == null
        ? List.of()
        : Arrays.stream(best.toLongArray()).mapToObj(Math::toIntExact).toList();
  }

  /** All arrays belong to the capture except the first, which is the application's. */
  private static void ownedBut(NDArray[] all, NDManager manager) {
    for (int i = 1; i < all.length; i++) {
      NDScope.unregister(all[i]);
    }
    all[0].attach(manager);
  }

  private static IValue run(
      PtSymbolBlock block, TapPlan plan, long[] classes, NDList inputs, boolean training) {
    String method = Objects.requireNonNull(plan.gradientMethod());
    String headMethod = plan.headMethod();
    if (headMethod == null) {
      return ModuleCalls.run(block, method, classes, inputs, true);
    }
    try (IValue head = head(block, headMethod, inputs, training)) {
      return ModuleCalls.run(block, method, classes, head);
    }
  }

  /** The head is not differentiated, even if its weights require gradients. */
  private static IValue head(PtSymbolBlock block, String method, NDList inputs, boolean training) {
    if (!training) {
      return ModuleCalls.run(block, method, inputs, false);
    }
    JniUtils.setGradMode(false);
    try {
      return ModuleCalls.run(block, method, inputs, true);
    } finally {
      JniUtils.setGradMode(true);
    }
  }

  private static GradientPass of(NDArray[] all, String text, TapPlan plan, NDManager manager) {
    ownedBut(all, manager);
    String[] lines = text.split("\n", 3);
    List<Integer> classes = new ArrayList<>();
    for (String word : lines[0].isEmpty() ? new String[0] : lines[0].split(" ", -1)) {
      classes.add(Integer.valueOf(word));
    }
    String present = lines[1];
    int taps = present.length() - 1;
    int at = 2;
    NDArray rows = present.charAt(0) == '1' ? all[at++] : null;
    List<NDArray> values = List.of(all).subList(at, at + taps);
    at += taps;
    List<@Nullable NDArray> gradients = new ArrayList<>();
    for (int i = 0; i < taps; i++) {
      gradients.add(present.charAt(1 + i) == '1' ? all[at++] : null);
    }
    String labels = lines.length < 3 ? "" : lines[2];
    List<TapPlan.Label> names = plan.labels(labels);
    return new GradientPass(all[0], all[1], () -> classes, rows, names, values, gradients);
  }
}
