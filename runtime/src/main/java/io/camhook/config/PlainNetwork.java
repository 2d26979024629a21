package io.camhook.config;

import org.jspecify.annotations.Nullable;

/**
 * How the modules of a plain Java network and the values of their calls are found.
 *
 * @param module class, interface or annotation of the layers (a name or a glob of names), with
 *     their methods
 * @param root the same for the whole network, where it is not one of {@code module}; null when the
 *     outermost call of a module is a pass
 * @param values where the values of a module's call are
 * @param rootValues the same for the root; those of the modules where nothing else is said
 * @param inputShape shape of the root's input, where that is a flat array; null where it is not or
 *     nobody needs it
 */
public record PlainNetwork(
    Methods module,
    @Nullable Methods root,
    Values values,
    Values rootValues,
    @Nullable FlatInputShape inputShape) {
  /**
   * Where the values of a call are.
   *
   * @param input where forward finds its input
   * @param output where forward leaves its output
   * @param gradOutput where backward finds ∂score/∂output
   * @param gradInput where backward leaves ∂score/∂input
   * @param value field or no-argument method of the tensor class that gives its array, or a chain
   *     of them joined by dots; null when tensors are arrays or buffers
   * @param shape field or no-argument method that gives the shape: of the tensor class where {@code
   *     value} is set, else of the module; null when the (nested) array itself tells
   */
  public record Values(
      Place input,
      Place output,
      Place gradOutput,
      Place gradInput,
      @Nullable String value,
      @Nullable String shape) {}

  /**
   * Methods of a kind of class.
   *
   * @param type class, interface or annotation: its name or a glob
   * @param forward forward method: name, or signature such as {@code forward(float[],int)}
   * @param backward backward method, written likewise; null if there is none
   */
  public record Methods(String type, String forward, @Nullable String backward) {}
}
