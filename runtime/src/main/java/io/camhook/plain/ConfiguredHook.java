package io.camhook.plain;

import io.camhook.builtin.LayerValues;
import io.camhook.builtin.LayerWatch;
import io.camhook.builtin.Steps;
import io.camhook.builtin.Watches;
import io.camhook.dispatch.Failures;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A built-in hook on the layers of a plain network. */
final class ConfiguredHook implements PlainHook {
  private final LayerWatch watch;
  private final Steps steps;
  private final Failures failures;

  /**
   * @param failures takes what fails in the hook itself, which must not reach the application
   */
  ConfiguredHook(LayerWatch watch, Steps steps, Failures failures) {
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
    Watches.look(
        failures,
        () ->
            watch.forward(
                steps.forward(watch, module.path(), type(module)),
                values(module, input),
                values(module, output)));
    return null;
  }

  @Override
  public @Nullable Object afterBackward(
      PlainModule module, @Nullable Object gradInput, @Nullable Object gradOutput) {
    Watches.look(
        failures,
        () ->
            watch.backward(
                steps.backward(watch, module.path(), type(module)),
                values(module, gradInput),
                values(module, gradOutput)));
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
