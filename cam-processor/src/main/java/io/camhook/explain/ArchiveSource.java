package io.camhook.explain;

import io.camhook.engine.ModelSession;
import io.camhook.naming.ModuleDescription;
import io.camhook.recording.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/** A TorchScript file, loaded for each session. */
record ArchiveSource(Path file, ModelListing listing) implements ModelSource {
  static ArchiveSource of(ModelListing listing) {
    return new ArchiveSource(Path.of(listing.model()), listing);
  }

  @Override
  public ModelSession open(Collection<String> paths) throws IOException {
    return ExplainEngine.adapter().open(file, paths);
  }

  @Override
  public Optional<String> auto(List<Tensor> inputs) {
    return Optional.ofNullable(listing.operators().pooled());
  }

  @Override
  public double epsilon(ModuleDescription batchNorm, ModelSession session) throws IOException {
    return BatchNormEpsilon.of(file);
  }
}
