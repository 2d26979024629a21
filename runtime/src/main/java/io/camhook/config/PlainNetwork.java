package io.camhook.config;

import java.util.Map;
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
 * @param layerwise how camhook goes backward where the root has no method for that; null where it
 *     has one, or no gradients are wanted
 */
public record PlainNetwork(
    Methods module,
    @Nullable Methods root,
    Values values,
    Values rootValues,
    @Nullable FlatInputShape inputShape,
    @Nullable Layerwise layerwise) {
  /** Whether there is a way from a gradient of the output to those of the layers. */
  public boolean goesBackward() {
    return layerwise != null || (root == null ? module : root).backward() != null;
  }

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
   * @param make static method of the application that makes a tensor of numbers and sizes, such as
   *     {@code com.acme.Tensor.of(float[],int[])}; null when a tensor is made from another
   */
  public record Values(
      Place input,
      Place output,
      Place gradOutput,
      Place gradInput,
      @Nullable String value,
      @Nullable String shape,
      @Nullable String make) {}

  /**
   * The layers' backward methods are called one after the other, the last layer's first.
   *
   * @param arguments what else those methods get: a type of parameter by its simple or full name,
   *     and the static field or method without arguments that gives its value
   * @param lossTarget where the last layer finds the target of its loss, where it computes the
   *     gradient itself as output − target; {@code NONE} where it is given the gradient
   */
  public record Layerwise(Map<String, String> arguments, Place lossTarget) {
    public Layerwise {
      arguments = Map.copyOf(arguments);
    }
  }

  /**
   * Methods of a kind of class.
   *
   * @param type class, interface or annotation: its name or a glob
   * @param forward forward method: name, or signature such as {@code forward(float[],int)}
   * @param backward backward method, written likewise; null if there is none
   */
  public record Methods(String type, String forward, @Nullable String backward) {}
}
