package io.camhook.explain;

import io.camhook.engine.ModelSession;
import io.camhook.naming.ModuleDescription;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collection;

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
  public double epsilon(ModuleDescription batchNorm, ModelSession session) throws IOException {
    return BatchNormEpsilon.of(file);
  }
}
