package io.camhook.explain;

import io.camhook.engine.ModelSession;
import io.camhook.naming.ModuleDescription;
import io.camhook.recording.Tensor;
import java.io.IOException;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Where an explained model comes from: a file, or the application. */
interface ModelSource {
  /** The modules, without running anything. */
  ModelListing listing();

  /** A session that records {@code paths}. */
  ModelSession open(Collection<String> paths) throws IOException;

  /**
   * The layers that names mean.
   *
   * @param layers paths, aliases or globs; not {@code auto}
   * @throws ExplainException if an entry means none, or one that cannot be recorded
   */
  default Set<String> select(List<String> layers) {
    return LayerSelection.of(layers, listing());
  }

  /** The layer that {@code auto} means; empty: the last with a spatial output. */
  default Optional<String> auto(List<Tensor> inputs) {
    return Optional.empty();
  }

  /** The layers that may add a bias, as FullGrad takes it. */
  default List<ModuleDescription> biased() {
    return LayerSelection.called(listing());
  }

  /** The epsilon of a batch norm. */
  double epsilon(ModuleDescription batchNorm, ModelSession session) throws IOException;
}
