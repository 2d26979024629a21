package io.camhook.plain;

import io.camhook.builtin.LayerValues;
import io.camhook.builtin.LayerWatch;
import io.camhook.builtin.NonFiniteValueException;
import io.camhook.builtin.Steps;
import java.util.List;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/** A built-in hook on the layers of a plain network. */
final class ConfiguredHook implements PlainHook {
  private final LayerWatch watch;
  private final Steps steps;
  private final BiConsumer<String, Throwable> failures;

  /**
   * @param failures takes what fails in the hook itself, which must not reach the application
   */
  ConfiguredHook(LayerWatch watch, Steps steps, BiConsumer<String, Throwable> failures) {
    this.watch = watch;
    this.steps = steps;
    this.failures = failures;
  }

  /** Counts the passes of the root that it is attached to. */
  static PlainHook counter(Steps steps) {
    return new PlainHook() {
      @Override
      public @Nullable Object beforeForward(PlainModule module, @Nullable Object input) {
        steps.begin();
        return null;
      }
    };
  }

  @Override
  public @Nullable Object afterForward(
      PlainModule module, @Nullable Object input, @Nullable Object output) {
    return guarded(
        () ->
            watch.forward(
                steps.forward(watch, module.path(), type(module)),
                values(module, input),
                values(module, output)));
  }

  @Override
  public @Nullable Object afterBackward(
      PlainModule module, @Nullable Object gradInput, @Nullable Object gradOutput) {
    return guarded(
        () ->
            watch.backward(
                steps.backward(watch, module.path(), type(module)),
                values(module, gradInput),
                values(module, gradOutput)));
  }

  private @Nullable Object guarded(Runnable look) {
    try {
      look.run();
    } catch (NonFiniteValueException e) {
      throw e;
    } catch (RuntimeException e) {
      failures.accept("a built-in hook failed", e);
    }
    return null;
  }

  private static List<LayerValues> values(PlainModule module, @Nullable Object value) {
    return value == null ? List.of() : List.of(new Values(module, value));
  }

  private record Values(PlainModule module, Object value) implements LayerValues {
    @Override
    public long[] shape() {
      return module.read(value).shape();
    }

    @Override
    public float[] toFloats() {
      return module.read(value).toFloats();
    }
  }

  private static String type(PlainModule module) {
    return module.module().getClass().getSimpleName();
  }
}
