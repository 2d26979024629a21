package io.camhook.builtin;

import io.camhook.dispatch.EventLog;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * {@code nan-guard}: names the first layer that produced NaN or infinity, forward or backward, with
 * the step and a summary of its inputs. That is the first layer with such a value in its result but
 * none in its inputs; a module ends after the modules inside it, so it is the innermost one. If the
 * model's own input is not finite, the message says so. {@code warn} logs once per layer and
 * direction, {@code throw} ends the pass.
 */
final class NanGuardWatch implements LayerWatch {
  private final boolean throwing;
  private final EventLog log;

  /** The last step in which a layer was named, by direction, model and thread. */
  private final Map<String, Long> steps = new ConcurrentHashMap<>();

  private final Set<String> said = ConcurrentHashMap.newKeySet();

  NanGuardWatch(boolean throwing, EventLog log) {
    this.throwing = throwing;
    this.log = log;
  }

  @Override
  public void forward(LayerCall call, List<LayerValues> inputs, List<LayerValues> outputs) {
    check(call, "forward", "its input", inputs, outputs);
  }

  @Override
  public void backward(
      LayerCall call, List<LayerValues> gradInputs, List<LayerValues> gradOutputs) {
    check(call, "backward", "the gradient of its output", gradOutputs, gradInputs);
  }

  private void check(
      LayerCall call,
      String direction,
      String givenName,
      List<LayerValues> given,
      List<LayerValues> produced) {
    String bad = nonFinite(produced);
    if (bad == null) {
      return;
    }
    boolean outermost = call.path().equals(".");
    boolean inherited = nonFinite(given) != null;
    if (inherited && !outermost) {
      return; // an earlier layer produced it
    }
    long thread = Thread.currentThread().getId();
    Long before = steps.put(direction + " " + call.model() + " " + thread, call.step());
    if (before != null && before == call.step()) {
      return; // a module around the one that was named
    }
    String message =
        inherited
            ? "%s: %s already has NaN or infinity: %s".formatted(call, givenName, describe(given))
            : "%s produced %s in %s; %s: %s"
                .formatted(call, bad, direction, givenName, describe(given));
    if (throwing) {
      throw new NonFiniteValueException("nan-guard: " + message);
    }
    if (said.add(direction + " " + call.model() + " " + call.path())) {
      log.warn("nan-guard: " + message);
    }
  }

  /**
   * NaN if there is one, because it is the worse of the two; otherwise infinity, or null if there
   * is neither.
   */
  private static @Nullable String nonFinite(List<LayerValues> tensors) {
    String found = null;
    for (LayerValues tensor : tensors) {
      for (float value : tensor.toFloats()) {
        if (Float.isNaN(value)) {
          return "NaN";
        }
        if (Float.isInfinite(value)) {
          found = "infinity";
        }
      }
    }
    return found;
  }

  private static String describe(List<LayerValues> tensors) {
    if (tensors.isEmpty()) {
      return "none";
    }
    return String.join(
        "; ",
        tensors.stream()
            .map(t -> Arrays.toString(t.shape()) + " " + Summary.of(t.toFloats()))
            .toList());
  }
}
