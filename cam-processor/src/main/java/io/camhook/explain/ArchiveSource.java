package io.camhook.explain;

import io.camhook.spi.ModelSession;
import io.camhook.torchscript.ModuleInfo;
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
  public double epsilon(ModuleInfo batchNorm, ModelSession session) throws IOException {
    return BatchNormEpsilon.of(file);
  }
}
