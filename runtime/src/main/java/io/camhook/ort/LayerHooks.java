package io.camhook.ort;

import ai.onnxruntime.OnnxTensor;
import io.camhook.builtin.LayerValues;
import io.camhook.builtin.LayerWatch;
import io.camhook.builtin.NonFiniteValueException;
import io.camhook.builtin.Steps;
import io.camhook.builtin.Watches;
import io.camhook.dispatch.Failures;
import io.camhook.dispatch.HookArguments;
import io.camhook.dispatch.HookEntry;
import io.camhook.dispatch.HookMoment;
import io.camhook.recording.LayerOutput;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The hooks on the layers of one model: built-in ones, and the user's own. They see values of side
 * sessions. Thread-safe.
 */
final class LayerHooks {
  /** A hook and its layers; one of {@code watch} and {@code own} is null. */
  private record Attached(
      Set<LayerOutput> layers, @Nullable LayerWatch watch, @Nullable HookEntry own) {
    boolean isOwn(HookMoment moment, boolean replacing) {
      return own != null && own.kind().moment() == moment && own.replaces() == replacing;
    }
  }

  /** When hooks run. This engine shows what a layer returns, and the gradient at it; no more. */
  static final Set<HookMoment> MOMENTS =
      Set.of(HookMoment.AFTER_FORWARD, HookMoment.AFTER_BACKWARD);

  private final OnnxPlan plan;
  private final Steps steps;
  private final List<Attached> attached = new ArrayList<>();
  private final Failures failures;

  LayerHooks(OnnxPlan plan, Failures failures) {
    this.plan = plan;
    this.steps = new Steps(plan.label());
    this.failures = failures;
  }

  /** Before the first pass: a built-in hook. */
  void add(Set<LayerOutput> layers, LayerWatch watch) {
    attached.add(new Attached(Set.copyOf(layers), watch, null));
  }

  /** Before the first pass: a hook of the user's, as one of the kinds that it is. */
  void add(Set<LayerOutput> layers, HookEntry own) {
    attached.add(new Attached(Set.copyOf(layers), null, own));
  }

  /** Whether a hook looks at a layer. */
  boolean lookAt(LayerOutput layer) {
    return attached.stream().anyMatch(hook -> hook.layers.contains(layer));
  }

  /** A pass begins on this thread. */
  void begin() {
    steps.begin();
  }

  /**
   * Called when a layer's value has been computed.
   *
   * @param session the application's
   * @throws HookException if a hook throws
   */
  void forward(Object session, SideModel.Tap tap, OnnxTensor value) {
    String path = tap.layer().path();
    List<LayerValues> outputs = List.of(new TensorValues(value));
    look(
        tap,
        watch -> watch.forward(steps.forward(watch, path, tap.type()), List.of(), outputs),
        HookMoment.AFTER_FORWARD,
        () -> HookArguments.forward(session, path, List.of(), null, List.of(value)));
  }

  /**
   * The value that the model continues with instead of a layer's value.
   *
   * @param session the application's
   * @return null if every hook there keeps it
   * @throws HookException if a hook throws, or returns something that cannot replace the value
   */
  @Nullable OnnxTensor replacement(Object session, SideModel.Tap tap, OnnxTensor value) {
    String path = tap.layer().path();
    OnnxTensor now = value;
    for (Attached hook : attached) {
      if (!hook.isOwn(HookMoment.AFTER_FORWARD, true) || !hook.layers.contains(tap.layer())) {
        continue;
      }
      Object returned =
          called(hook, HookArguments.forward(session, path, List.of(), null, List.of(now)));
      if (returned != null) {
        OnnxTensor before = now;
        now = checked(path, returned, value);
        if (before != value && before != now) {
          before.close();
        }
      }
    }
    return now == value ? null : now;
  }

  private static OnnxTensor checked(String path, Object returned, OnnxTensor value) {
    if (returned instanceof List<?> list
        && list.size() == 1
        && list.get(0) instanceof OnnxTensor tensor
        && tensor.getInfo().type == value.getInfo().type
        && Arrays.equals(tensor.getInfo().getShape(), value.getInfo().getShape())) {
      return tensor;
    }
    throw new HookException(
        new IllegalArgumentException(
            "a hook that replaces the value of '%s' must return a list of one OnnxTensor of %s %s, or null; found %s"
                .formatted(
                    path,
                    value.getInfo().type,
                    Arrays.toString(value.getInfo().getShape()),
                    returned instanceof List<?> list
                            && !list.isEmpty()
                            && list.get(0) instanceof OnnxTensor t
                        ? "%d of %s %s"
                            .formatted(
                                list.size(),
                                t.getInfo().type,
                                Arrays.toString(t.getInfo().getShape()))
                        : returned)));
  }

  /** Called when the gradient at a layer has been computed. */
  void backward(Object session, SideModel.Tap tap, OnnxTensor gradient) {
    String path = tap.layer().path();
    List<LayerValues> gradients = List.of(new TensorValues(gradient));
    look(
        tap,
        watch -> watch.backward(steps.backward(watch, path, tap.type()), List.of(), gradients),
        HookMoment.AFTER_BACKWARD,
        () -> HookArguments.backward(session, path, List.of(), List.of(gradient)));
  }

  /** Runs the hooks that only look at a layer. */
  private void look(
      SideModel.Tap tap,
      Consumer<LayerWatch> builtIn,
      HookMoment moment,
      Supplier<HookArguments> shown) {
    for (Attached hook : attached) {
      LayerWatch watch = hook.watch;
      if (!hook.layers.contains(tap.layer())) {
        continue;
      }
      if (watch != null) {
        guarded(() -> builtIn.accept(watch));
      } else if (hook.isOwn(moment, false)) {
        ignore(tap.layer().path(), called(hook, shown.get()));
      }
    }
  }

  private void guarded(Runnable look) {
    try {
      Watches.look(failures, look);
    } catch (NonFiniteValueException e) {
      throw new HookException(e); // what the user asked for
    }
  }

  private static @Nullable Object called(Attached hook, HookArguments shown) {
    try {
      return Objects.requireNonNull(hook.own).call(shown);
    } catch (RuntimeException e) {
      throw new HookException(e);
    }
  }

  private void ignore(String path, @Nullable Object replacement) {
    if (replacement != null) {
      plan.sayOnce(
          "a hook at '%s' returned a value, which is ignored: a hook that replaces values needs 'replace: true'"
              .formatted(path));
    }
  }

  private record TensorValues(OnnxTensor tensor) implements LayerValues {
    @Override
    public long[] shape() {
      return tensor.getInfo().getShape();
    }

    @Override
    public float[] toFloats() {
      return OrtValues.copy(tensor).toFloats();
    }
  }
}
