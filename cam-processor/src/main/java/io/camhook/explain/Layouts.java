package io.camhook.explain;

import io.camhook.cam.CamException;
import io.camhook.cam.Layout;
import io.camhook.cam.ModuleTypes;
import io.camhook.naming.ModuleDescription;
import io.camhook.recording.LayerOutput;
import io.camhook.recording.Tensor;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The axes of channels and positions in the layers' outputs. The user's setting takes precedence;
 * then come the type of the module (a convolution has its channels first, a linear layer last), a
 * comparison of sizes with the input, the types of the modules inside, and finally a {@link
 * LayoutProbe}. If the layout is still ambiguous, the user is asked to choose. Not thread-safe.
 */
final class Layouts {
  /** The least movement of a spatial axis, and its least ratio to the movement of the others. */
  private static final double CLEAR_MOVE = 0.1;

  private static final double CLEAR_FACTOR = 2;

  private final @Nullable Layout wanted;
  private final Map<String, String> types = new HashMap<>();
  private final Map<String, Layout> found = new HashMap<>();

  Layouts(@Nullable Layout wanted, List<ModuleDescription> modules) {
    this.wanted = wanted;
    modules.forEach(module -> types.put(module.path(), module.type()));
  }

  /**
   * The layout of one layer's output.
   *
   * @param input the input that it lies over
   * @param probe used only if nothing else decides
   * @throws CamException if there is no spatial extent, or its axes are not clear
   */
  Layout of(LayerOutput layer, Tensor activation, Tensor input, Supplier<LayoutProbe> probe) {
    if (wanted != null) {
      return wanted;
    }
    String key = layer + Arrays.toString(activation.shape()) + Arrays.toString(input.shape());
    Layout known = found.get(key);
    if (known == null) {
      known = find(layer, activation, input, probe);
      found.put(key, known);
    }
    return known;
  }

  private Layout find(
      LayerOutput layer, Tensor activation, Tensor input, Supplier<LayoutProbe> probe) {
    requireBatch(layer, activation, input);
    long[] shape = activation.shape();
    String type = types.getOrDefault(layer.path(), "");
    Optional<Layout> byType = shape.length < 3 ? Optional.empty() : ModuleTypes.layout(type);
    if (byType.isPresent()) {
      return overInput(byType.get(), layer, shape, input);
    }
    List<Layout> possible = Layout.possible(layer.toString(), shape, input.shape());
    if (possible.size() == 1) {
      return possible.get(0);
    }
    Optional<Layout> inside = ModuleTypes.layout(insideOf(layer.path()));
    if (inside.isPresent() && possible.contains(inside.get())) {
      return inside.get();
    }
    Layout seen = seen(layer, shape.length, input, probe.get());
    if (seen != null && possible.contains(seen)) {
      return seen;
    }
    throw Layout.unclear(layer.toString(), shape);
  }

  /** Tokens of a picture form a grid. */
  private static Layout overInput(Layout layout, LayerOutput layer, long[] shape, Tensor input) {
    boolean tokens = layout.kind() == Layout.Kind.CHANNELS_LAST && shape.length == 3;
    return tokens && input.rank() == 4
        ? Layout.tokens(layer.toString(), shape, input.shape())
        : layout;
  }

  private static void requireBatch(LayerOutput layer, Tensor activation, Tensor input) {
    if (activation.rank() >= 3 && input.rank() > 0 && activation.size(0) != input.size(0)) {
      throw new CamException(
          "layer %s: its output of shape %s does not begin with the batch of %d, so its positions cannot be told apart (windows, or the sequence first); choose a module around it"
              .formatted(layer, Arrays.toString(activation.shape()), input.size(0)));
    }
  }

  private List<String> insideOf(String path) {
    String prefix = path.equals(".") ? "" : path + ".";
    return types.entrySet().stream()
        .filter(module -> module.getKey().startsWith(prefix))
        .map(Map.Entry::getValue)
        .toList();
  }

  /** The layout found by the probe; null if it is not clear. */
  private static @Nullable Layout seen(
      LayerOutput layer, int rank, Tensor input, LayoutProbe probe) {
    double first = 0;
    double last = 0;
    if (rank == 3) {
      for (int axis : probe.axes()) {
        double[] moved = probe.moved(layer, axis);
        if (moved != null) {
          first = Math.max(first, moved[2]);
          last = Math.max(last, moved[1]);
        }
      }
    } else {
      int from = InputForm.hasChannelsLast(input) ? 1 : 2;
      for (int d = 0; d < rank - 2; d++) {
        double[] moved = from + d < input.rank() ? probe.moved(layer, from + d) : null;
        if (moved != null) {
          first += Math.max(0, moved[2 + d]);
          last += Math.max(0, moved[1 + d]);
        }
      }
    }
    if (Math.max(first, last) < CLEAR_MOVE
        || Math.max(first, last) < CLEAR_FACTOR * Math.min(first, last)) {
      return null;
    }
    return first > last ? Layout.channelsFirst() : Layout.channelsLast();
  }

  /**
   * Whether the channels of an input {@code [n,…]} are its last dimension. With rank 3 it may be
   * {@code [n,C,L]} or frames {@code [n,T,F]}: the axis that a layer's positions follow decides.
   *
   * @param layer a layer with a known layout; null if there is none
   */
  static boolean inputHasChannelsLast(
      Tensor input,
      @Nullable LayerOutput layer,
      @Nullable Layout layout,
      @Nullable Tensor activation,
      Supplier<LayoutProbe> probe) {
    if (input.rank() != 3) {
      return InputForm.hasChannelsLast(input);
    }
    if (layer == null || layout == null || activation == null || activation.rank() != 3) {
      return false;
    }
    int positions = layout.kind() == Layout.Kind.CHANNELS_FIRST ? 2 : 1;
    double[] one = probe.get().moved(layer, 1);
    double[] two = probe.get().moved(layer, 2);
    double byFirst = one == null ? 0 : one[positions];
    double byLast = two == null ? 0 : two[positions];
    return byFirst > byLast;
  }
}
