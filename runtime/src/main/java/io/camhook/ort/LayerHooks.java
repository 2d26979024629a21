package io.camhook.ort;

import ai.onnxruntime.OnnxTensor;
import io.camhook.ForwardHook;
import io.camhook.FullBackwardHook;
import io.camhook.builtin.LayerValues;
import io.camhook.builtin.LayerWatch;
import io.camhook.builtin.NonFiniteValueException;
import io.camhook.builtin.Steps;
import io.camhook.dispatch.Failures;
import io.camhook.recording.LayerOutput;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The hooks that look at the layers of one model: built-in ones, and the user's own. They see
 * values of the side session; what the application gets they cannot change. Thread-safe.
 */
final class LayerHooks {
  /** A hook and its layers; one of {@code watch} and {@code own} is null. */
  private record Attached(
      Set<LayerOutput> layers, @Nullable LayerWatch watch, @Nullable Object own) {}

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

  /** Before the first pass: a hook of the user's. */
  void add(Set<LayerOutput> layers, Object own) {
    attached.add(new Attached(Set.copyOf(layers), null, own));
  }

  boolean isEmpty() {
    return attached.isEmpty();
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
   * A layer's value is there.
   *
   * @param session the application's
   * @throws HookException if a hook throws
   */
  void forward(Object session, SideModel.Tap tap, OnnxTensor value) {
    String path = tap.layer().path();
    for (Attached hook : attached) {
      if (!hook.layers.contains(tap.layer())) {
        continue;
      }
      if (hook.watch != null) {
        LayerWatch watch = hook.watch;
        guarded(
            () ->
                watch.forward(
                    steps.forward(watch, path, tap.type()),
                    List.of(),
                    List.of(new TensorValues(value))));
      } else if (hook.own instanceof ForwardHook<?, ?> own) {
        ignore(
            path,
            called(() -> forwardHook(own).afterForward(session, path, List.of(), List.of(value))));
      }
    }
  }

  /** The gradient at a layer is there. */
  void backward(Object session, SideModel.Tap tap, OnnxTensor gradient) {
    String path = tap.layer().path();
    for (Attached hook : attached) {
      if (!hook.layers.contains(tap.layer())) {
        continue;
      }
      if (hook.watch != null) {
        LayerWatch watch = hook.watch;
        guarded(
            () ->
                watch.backward(
                    steps.backward(watch, path, tap.type()),
                    List.of(),
                    List.of(new TensorValues(gradient))));
      } else if (hook.own instanceof FullBackwardHook<?, ?> own) {
        ignore(
            path,
            called(
                () ->
                    backwardHook(own).afterBackward(session, path, List.of(), List.of(gradient))));
      }
    }
  }

  private void guarded(Runnable look) {
    try {
      look.run();
    } catch (NonFiniteValueException e) {
      throw new HookException(e); // what the user asked for
    } catch (RuntimeException e) {
      failures.add("a built-in hook failed", e);
    }
  }

  private static @Nullable Object called(Supplier<? extends @Nullable Object> hook) {
    try {
      return hook.get();
    } catch (RuntimeException e) {
      throw new HookException(e);
    }
  }

  private void ignore(String path, @Nullable Object replacement) {
    if (replacement != null) {
      plan.sayOnce(
          "a hook at '%s' returned a value; the application's session computes without it, hooks of this engine only look"
              .formatted(path));
    }
  }

  @SuppressWarnings("unchecked")
  private static ForwardHook<Object, List<OnnxTensor>> forwardHook(ForwardHook<?, ?> hook) {
    return (ForwardHook<Object, List<OnnxTensor>>) hook;
  }

  @SuppressWarnings("unchecked")
  private static FullBackwardHook<Object, List<OnnxTensor>> backwardHook(
      FullBackwardHook<?, ?> hook) {
    return (FullBackwardHook<Object, List<OnnxTensor>>) hook;
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
