package io.camhook.recording;

import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What a tensor of a capture is, and its name in the blob:
 *
 * <table>
 *   <caption>names</caption>
 *   <tr><td>{@code image}</td><td>the input picture, uint8 [H,W,3]; [N,H,W,3] for N > 1</td></tr>
 *   <tr><td>{@code input.N}, {@code output.N}</td><td>the model's N-th input and output</td></tr>
 *   <tr><td>{@code activation/PATH}</td><td>a layer's output A, with its batch dimension</td></tr>
 *   <tr><td>{@code gradient/PATH}</td><td>∂score/∂A of target 0 of each sample; {@code gradient@n/PATH}
 *       of target n</td></tr>
 *   <tr><td>{@code classifier.weight}</td><td>[targets, C]: for each target of the capture, in order,
 *       its row of the final linear layer's weight</td></tr>
 * </table>
 *
 * @param kind what it is
 * @param index N of inputs and outputs, n of gradients, 0 otherwise
 * @param layer the layer of activations and gradients, null otherwise
 */
public record TensorName(Kind kind, int index, @Nullable LayerOutput layer) {
  /** What a tensor is. */
  public enum Kind {
    IMAGE,
    INPUT,
    OUTPUT,
    ACTIVATION,
    GRADIENT,
    CLASSIFIER_WEIGHT
  }

  public static final TensorName IMAGE = new TensorName(Kind.IMAGE, 0, null);
  public static final TensorName CLASSIFIER_WEIGHT =
      new TensorName(Kind.CLASSIFIER_WEIGHT, 0, null);

  private static final String ACTIVATION = "activation/";
  private static final String GRADIENT = "gradient";

  public TensorName {
    if (index < 0 || (layer != null) != (kind == Kind.ACTIVATION || kind == Kind.GRADIENT)) {
      throw new IllegalArgumentException(
          "no such tensor: %s index %d layer %s".formatted(kind, index, layer));
    }
  }

  public static TensorName input(int index) {
    return new TensorName(Kind.INPUT, index, null);
  }

  public static TensorName output(int index) {
    return new TensorName(Kind.OUTPUT, index, null);
  }

  public static TensorName activation(LayerOutput layer) {
    return new TensorName(Kind.ACTIVATION, 0, layer);
  }

  /** The gradient of target {@code n} of each sample (0 is the first). */
  public static TensorName gradient(int n, LayerOutput layer) {
    return new TensorName(Kind.GRADIENT, n, layer);
  }

  /** Parses {@code name}; empty if it is not one of a capture's names. */
  public static Optional<TensorName> parse(String name) {
    try {
      return Optional.ofNullable(parseOrNull(name));
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
  }

  private static @Nullable TensorName parseOrNull(String name) {
    if (name.equals("image")) {
      return IMAGE;
    }
    if (name.equals("classifier.weight")) {
      return CLASSIFIER_WEIGHT;
    }
    if (name.startsWith("input.")) {
      return input(Integer.parseInt(name.substring("input.".length())));
    }
    if (name.startsWith("output.")) {
      return output(Integer.parseInt(name.substring("output.".length())));
    }
    if (name.startsWith(ACTIVATION)) {
      return activation(LayerOutput.parse(name.substring(ACTIVATION.length())));
    }
    int slash = name.indexOf('/');
    if (slash < 0 || !name.startsWith(GRADIENT)) {
      return null;
    }
    String target = name.substring(GRADIENT.length(), slash);
    LayerOutput layer = LayerOutput.parse(name.substring(slash + 1));
    if (target.isEmpty()) {
      return gradient(0, layer);
    }
    int n = target.charAt(0) == '@' ? Integer.parseInt(target.substring(1)) : 0;
    return n > 0 ? gradient(n, layer) : null;
  }

  /** The name in the blob. */
  @Override
  public String toString() {
    return switch (kind) {
      case IMAGE -> "image";
      case CLASSIFIER_WEIGHT -> "classifier.weight";
      case INPUT -> "input." + index;
      case OUTPUT -> "output." + index;
      case ACTIVATION -> ACTIVATION + layer;
      case GRADIENT -> GRADIENT + (index == 0 ? "/" : "@" + index + "/") + layer;
    };
  }
}
