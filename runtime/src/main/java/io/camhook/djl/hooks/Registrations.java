package io.camhook.djl.hooks;

import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import io.camhook.dispatch.HookEntry;
import io.camhook.dispatch.HookKind;
import io.camhook.djl.model.InnerModule;

/**
 * Checks the registration of a hook, from code or from the configuration, and rejects what cannot
 * work.
 */
public final class Registrations {
  private Registrations() {}

  /**
   * Checks that a module can take a hook.
   *
   * @throws IllegalArgumentException if it cannot; the message suggests what to do
   */
  public static void check(Object module, HookEntry entry) {
    HookKind kind = entry.kind();
    if (module instanceof Model model) {
      throw new IllegalArgumentException(
          "a %s needs a block, found the model %s: give model.getBlock() for the model as a whole, or say which layers with (model, \"features.2\", hook)"
              .formatted(kind.text(), model.getName()));
    }
    if (module instanceof NDArray) {
      throw new IllegalArgumentException(
          "a %s needs a block, found an array: gradients of arrays are for registerHook(array, hook)"
              .formatted(kind.text()));
    }
    if (!kind.moment().isForward() && entry.replaces() && module instanceof InnerModule) {
      throw new IllegalArgumentException(
          "layer %s is inside a TorchScript model, where a %s can only look: when the hook sees its gradient, the engine has already passed it on; forward and forward pre hooks can replace values there"
              .formatted(module, kind.text()));
    }
    if (entry.replaces() && module instanceof InnerModule inner && !inner.stops()) {
      throw new IllegalArgumentException(
          "layer %s is inside a TorchScript model whose code forks: calls run at the same time, so it cannot wait for a hook that replaces a value; leave out HookOptions.replacing() (replace: true in camhook.yaml) to look"
              .formatted(inner));
    }
  }
}
