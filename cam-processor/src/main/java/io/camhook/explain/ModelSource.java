package io.camhook.explain;

import io.camhook.engine.ModelSession;
import io.camhook.naming.ModuleDescription;
import io.camhook.recording.Tensor;
import io.camhook.torchscript.flow.AutoLayer;
import java.io.IOException;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Where an explained model comes from: a file, or the application. */
interface ModelSource {
  /** The modules, without running anything. */
  ModelListing listing();

  /**
   * The layer that {@code auto} means, found from the model alone.
   *
   * @param output the explained output; null for the usual one
   * @param inputs its inputs
   * @return empty if only a pass can show it
   */
  default Optional<AutoLayer> auto(@Nullable String output, List<Tensor> inputs)
      throws IOException {
    return Optional.empty();
  }

  /** A session that records {@code paths}. */
  ModelSession open(Collection<String> paths) throws IOException;

  /**
   * Resolves names of layers.
   *
   * @param layers paths, aliases or globs; not {@code auto}
   * @throws ExplainException if an entry matches no layer, or one that cannot be recorded
   */
  default Set<String> select(List<String> layers) {
    return LayerSelection.of(layers, listing());
  }

  /** The layers that may add a bias, as FullGrad takes it. */
  default List<ModuleDescription> biased() {
    return LayerSelection.called(listing());
  }

  /**
   * The results of an operator, such as {@code softmax}, as layers that a session records; empty if
   * the model shows none.
   */
  default List<String> valuesOf(String operator) {
    return Stream.concat(listing().operators().inside().stream(), listing().modules().stream())
        .map(ModuleDescription::path)
        .filter(path -> path.matches("(.*/)?" + operator + "(#\\d+)?"))
        .distinct()
        .toList();
  }

  /** The epsilon of a batch norm. */
  double epsilon(ModuleDescription batchNorm, ModelSession session) throws IOException;
}
