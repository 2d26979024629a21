package io.camhook.cam;

import java.util.Collection;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** The channel axis of the outputs of PyTorch's and DJL's built-in module types. */
public final class ModuleTypes {
  private static final String TORCH = "torch.nn.modules.";
  private static final String DJL = "ai.djl.nn.";
  private static final Set<String> FIRST =
      Set.of(
          TORCH + "conv",
          TORCH + "batchnorm",
          TORCH + "instancenorm",
          TORCH + "pooling",
          TORCH + "upsampling",
          TORCH + "pixelshuffle",
          TORCH + "normalization.GroupNorm",
          TORCH + "normalization.LocalResponseNorm",
          DJL + "convolutional",
          DJL + "norm.BatchNorm",
          DJL + "norm.GhostBatchNorm");
  private static final Set<String> LAST =
      Set.of(
          TORCH + "linear",
          TORCH + "sparse",
          TORCH + "rnn",
          TORCH + "transformer",
          TORCH + "activation.MultiheadAttention",
          TORCH + "normalization.LayerNorm",
          TORCH + "normalization.RMSNorm",
          DJL + "core.Linear",
          DJL + "core.Embedding",
          DJL + "norm.LayerNorm",
          DJL + "recurrent",
          DJL + "transformer");

  private ModuleTypes() {}

  /**
   * The layout of one module type.
   *
   * @param type qualified, such as {@code torch.nn.modules.conv.Conv2d}
   * @return channels first or last; empty for activations, containers and types of other libraries
   */
  public static Optional<Layout> layout(String type) {
    if (isAmong(FIRST, type)) {
      return Optional.of(Layout.channelsFirst());
    }
    return isAmong(LAST, type) ? Optional.of(Layout.channelsLast()) : Optional.empty();
  }

  /**
   * The layout of the module types inside a container, if they all agree.
   *
   * @param types of the container's own modules, in any order
   */
  public static Optional<Layout> layout(Collection<String> types) {
    Set<Layout> found =
        types.stream().flatMap(type -> layout(type).stream()).collect(Collectors.toSet());
    return found.size() == 1 ? found.stream().findFirst() : Optional.empty();
  }

  /** Whether the module looks up rows of a table by integers, such as words. */
  public static boolean isEmbedding(String type) {
    return type.equals(TORCH + "sparse.Embedding") || type.endsWith(".core.Embedding");
  }

  private static boolean isAmong(Set<String> known, String type) {
    return known.contains(type)
        || known.contains(type.substring(0, Math.max(0, type.lastIndexOf('.'))));
  }
}
