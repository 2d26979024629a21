package io.camhook.explain;

import ai.djl.engine.EngineException;
import io.camhook.engine.ModelSession;
import io.camhook.naming.ModuleDescription;
import io.camhook.recording.Tensor;
import io.camhook.torchscript.TorchScriptArchive;
import io.camhook.torchscript.flow.AutoLayer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A TorchScript file, loaded for each session. */
record ArchiveSource(Path file, ModelListing listing) implements ModelSource {
  static ArchiveSource of(ModelListing listing) {
    return new ArchiveSource(Path.of(listing.model()), listing);
  }

  @Override
  public ModelSession open(Collection<String> paths) throws IOException {
    try {
      return ExplainEngine.adapter().open(file, paths);
    } catch (EngineException e) {
      throw new ExplainException(file + ": " + EngineMessages.unloadable(e), e);
    }
  }

  @Override
  public Optional<AutoLayer> auto(@Nullable String output, List<Tensor> inputs) throws IOException {
    return TorchScriptArchive.open(file).auto(output);
  }

  @Override
  public double epsilon(ModuleDescription batchNorm, ModelSession session) throws IOException {
    return BatchNormEpsilon.of(file);
  }
}
