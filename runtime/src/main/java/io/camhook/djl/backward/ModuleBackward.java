package io.camhook.djl.backward;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Block;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.JniUtils;
import io.camhook.dispatch.HookArguments;
import io.camhook.dispatch.HookEntry;
import io.camhook.dispatch.HookTypes;
import io.camhook.djl.autograd.Tensors;
import io.camhook.djl.memory.Handles;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The backward hooks of one call of a module, as they were when it was called. Follows {@code
 * torch.utils.hooks.BackwardHook}: it cuts after all inputs if any input requires grad, and after
 * all outputs if any output does.
 */
public final class ModuleBackward {
  private final Block block;
  private final String path;
  private final GradPoints points;
  private final List<HookEntry> preHooks;
  private final List<HookEntry> hooks;
  private final long begun = System.nanoTime();
  private int inputs;
  private boolean inputsCut;
  private @Nullable NDList gradOutputs;

  private ModuleBackward(
      Block block,
      String path,
      GradPoints points,
      List<HookEntry> preHooks,
      List<HookEntry> hooks) {
    this.block = block;
    this.path = path;
    this.points = points;
    this.preHooks = preHooks;
    this.hooks = hooks;
  }

  /** Null if the module has no backward hooks. */
  public static @Nullable ModuleBackward of(
      Block block,
      String path,
      GradPoints points,
      List<HookEntry> preHooks,
      List<HookEntry> hooks) {
    return preHooks.isEmpty() && hooks.isEmpty()
        ? null
        : new ModuleBackward(block, path, points, preHooks, hooks);
  }

  /**
   * Observes the inputs of a module that has already run.
   *
   * @param known for each, whether it has its own node, so that its gradient is the one through
   *     this call
   */
  public void observeInputs(NDList given, List<Boolean> known) {
    inputs = given.size();
    NDList seen = new NDList();
    for (int i = 0; i < known.size(); i++) {
      seen.add(known.get(i) ? given.get(i) : null);
    }
    inputsCut = cutAt(seen, true, true) != null;
  }

  /** Observes the outputs of a module that has already run. */
  public void observeOutputs(NDList returned) {
    cutAt(returned, false, true);
  }

  private Cut observing(NDArray array) {
    return Cut.observing(
        array,
        "layer %s: its backward hook returned a gradient, but the layer is inside a TorchScript model, where backward hooks only look: return null"
            .formatted(block));
  }

  /** Puts the cuts before the module. */
  public NDList cutInputs(NDList given) {
    inputs = given.size();
    Point point = cutAt(given, true, false);
    inputsCut = point != null;
    if (point == null) {
      return given;
    }
    point.cuts().forEach(cut -> Tensors.loose(cut.after()));
    return point.handedOn;
  }

  /** Puts the cuts after the module. */
  public NDList cutOutputs(NDList returned) {
    Point point = cutAt(returned, false, false);
    if (point == null) {
      return returned;
    }
    for (Cut cut : point.cuts()) {
      NDArray replaced = cut.source();
      if (Handles.made((PtNDArray) replaced) > begun && !Tensors.isLeaf(replaced)) {
        Tensors.loose(replaced); // made by the module, and no longer used
      }
    }
    return point.handedOn;
  }

  private @Nullable Point cutAt(NDList arrays, boolean input, boolean looking) {
    if (arrays.isEmpty() || !JniUtils.isGradMode()) {
      return null;
    }
    boolean[] requires = new boolean[arrays.size()];
    boolean any = false;
    for (int i = 0; i < requires.length; i++) {
      NDArray array = arrays.get(i);
      boolean differentiable =
          array != null && (Tensors.isFloating(array) || (looking && Tensors.isUnknown(array)));
      requires[i] = differentiable && (points.isHandedOn(array) || Tensors.requiresGrad(array));
      if (requires[i] && input && !looking) {
        points.join(array);
      }
      any |= requires[i];
    }
    if (!any) {
      return null;
    }
    Point point = new Point(input, arrays, requires, looking);
    points.add(point);
    if (!looking) {
      point.cuts().forEach(points::handOn);
    }
    return point;
  }

  /** The cuts at the inputs, or those at the outputs; each group is one node for autograd. */
  private final class Point extends GradPoint {
    private final boolean input;
    private final boolean looking;
    private final List<@Nullable Cut> positions = new ArrayList<>();
    private final NDList handedOn = new NDList();
    private final NDList shapes = new NDList();
    private final List<@Nullable NDManager> managers = new ArrayList<>();
    private final List<Cut> cuts;

    Point(boolean input, NDList arrays, boolean[] requires, boolean looking) {
      super(System.nanoTime());
      this.input = input;
      this.looking = looking;
      for (int i = 0; i < requires.length; i++) {
        NDArray array = arrays.get(i);
        Cut cut =
            !requires[i]
                ? null
                : looking ? observing(array) : Cut.of(array, true, points.cutBefore(array));
        positions.add(cut);
        handedOn.add(cut == null ? array : cut.after());
        shapes.add(cut == null ? array : cut.before());
        managers.add(array == null || Tensors.isUnknown(array) ? null : array.getManager());
      }
      cuts = positions.stream().filter(Objects::nonNull).toList();
    }

    @Override
    List<Cut> cuts() {
      return cuts;
    }

    @Override
    boolean isReachedDirectly() {
      return looking;
    }

    @Override
    String name() {
      return "%s of block %s (%s)"
          .formatted(input ? "inputs" : "outputs", path, block.getClass().getSimpleName());
    }

    @Override
    @Nullable List<@Nullable NDArray> fire(List<@Nullable NDArray> gradients) {
      NDList seen = new NDList();
      int next = 0;
      for (int i = 0; i < positions.size(); i++) {
        NDArray gradient = positions.get(i) == null ? null : gradients.get(next++);
        NDManager manager = managers.get(i);
        if (gradient == null && input && manager != null) {
          NDArray like = shapes.get(i);
          gradient = Tensors.loose(manager.zeros(like.getShape(), like.getDataType()));
        }
        seen.add(gradient);
      }
      NDList result = input ? afterBackward(seen) : beforeBackward(seen);
      return result == seen ? null : replacements(result);
    }

    private List<@Nullable NDArray> replacements(NDList result) {
      List<@Nullable NDArray> replaced = new ArrayList<>();
      for (int i = 0; i < positions.size(); i++) {
        if (positions.get(i) != null) {
          requireShape(result.get(i), shapes.get(i));
          replaced.add(result.get(i));
        }
      }
      return replaced;
    }
  }

  private NDList beforeBackward(NDList gradients) {
    NDList seen = gradients;
    for (HookEntry entry : preHooks) {
      NDList shown = handles(seen);
      NDList replaced = call(entry, HookArguments.backward(block, path, null, shown));
      if (replaced != null) {
        requireCount("pre hook", replaced.size(), gradients.size(), "output");
        seen = new NDList(replaced);
      }
    }
    gradOutputs = seen;
    if (!inputsCut) {
      runWithoutInputGradients(seen);
    }
    return seen;
  }

  /** No input requires grad: the hooks run as soon as the outputs' gradients have been computed. */
  private void runWithoutInputGradients(NDList gradientsOfOutputs) {
    NDList none = new NDList(Collections.<NDArray>nCopies(inputs, null));
    for (HookEntry entry : hooks) {
      NDList replaced =
          call(
              entry,
              HookArguments.backward(block, path, new NDList(none), handles(gradientsOfOutputs)));
      if (replaced != null && replaced.stream().anyMatch(Objects::nonNull)) {
        throw new IllegalStateException(
            "block %s: no input requires a gradient, so its backward hook must return null"
                .formatted(path));
      }
    }
    gradOutputs = null;
  }

  private NDList afterBackward(NDList gradients) {
    NDList outputs = gradOutputs;
    if (outputs == null) {
      return gradients; // a gradient that did not come through the module's outputs
    }
    NDList seen = gradients;
    for (int i = 0; i < hooks.size(); i++) {
      boolean last = i + 1 == hooks.size();
      NDList shown = last && seen == gradients ? new NDList(seen) : handles(seen);
      HookEntry entry = hooks.get(i);
      NDList shownOutputs = last && preHooks.isEmpty() ? outputs : handles(outputs);
      NDList replaced = call(entry, HookArguments.backward(block, path, shown, shownOutputs));
      if (replaced != null) {
        requireCount("hook", replaced.size(), gradients.size(), "input");
        seen = new NDList(replaced);
      }
    }
    gradOutputs = null;
    return seen;
  }

  /**
   * The list passed to one hook, which may change it and close the arrays. The last hook to see
   * copies that are no longer needed gets the copies themselves.
   */
  private static NDList handles(NDList gradients) {
    NDList shown = new NDList();
    for (NDArray gradient : gradients) {
      shown.add(
          gradient == null ? null : Tensors.loose(Tensors.alias(gradient, gradient.getManager())));
    }
    return shown;
  }

  private @Nullable NDList call(HookEntry entry, HookArguments arguments) {
    try {
      return (NDList) entry.call(arguments);
    } catch (RuntimeException e) {
      throw HookTypes.named(e, entry, path);
    }
  }

  private void requireCount(String hook, int found, int expected, String what) {
    if (found != expected) {
      throw new IllegalStateException(
          "block %s: backward %s returned %d gradients, expected %d, one per %s"
              .formatted(path, hook, found, expected, what));
    }
  }
}
