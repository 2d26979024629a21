package io.camhook.config;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * How to find the modules of a plain Java network and the values of their calls.
 *
 * @param module class, interface or annotation of the layers (a name or a glob of names), with
 *     their methods
 * @param root the same for the whole network, if that is not a {@code module} itself; null if the
 *     outermost call of a module is a pass
 * @param values where the values of a module's call are
 * @param rootValues the same for the root; defaults to that of the modules
 * @param inputShape shape of the root's input if that is a flat array; null if it is not, or if
 *     nothing needs the shape
 * @param layerwise how camhook runs the backward pass if the root has no method for it; null if it
 *     has one, or if no gradients are wanted
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
   *     of them joined by dots; null if tensors are arrays or buffers
   * @param shape field or no-argument method that gives the shape: a member of the tensor class if
   *     {@code value} is set, otherwise of the module; null if the (nested) array itself shows it
   * @param make static method of the application that makes a tensor from numbers and sizes, such
   *     as {@code com.acme.Tensor.of(float[],int[])}; null if a new tensor is made from an existing
   *     one
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
   * @param arguments further arguments of those methods: a parameter type by its simple or full
   *     name, and the static field or no-argument method that gives its value
   * @param lossTarget where the last layer finds the target of its loss, if it computes the
   *     gradient itself as output − target; {@code NONE} if the gradient is passed to it
   */
  public record Layerwise(Map<String, String> arguments, Place lossTarget) {
    public Layerwise {
      arguments = Map.copyOf(arguments);
    }
  }

  /**
   * The methods of one kind of class.
   *
   * @param type class, interface or annotation: its name or a glob
   * @param forward forward method: name, or signature such as {@code forward(float[],int)}
   * @param backward backward method in the same form; null if there is none
   */
  public record Methods(String type, String forward, @Nullable String backward) {}
}
