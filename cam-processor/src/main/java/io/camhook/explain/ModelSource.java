package io.camhook.explain;

import io.camhook.engine.ModelSession;
import io.camhook.naming.ModuleDescription;
import java.io.IOException;
import java.util.Collection;

/** Where an explained model comes from: a file, or the application. */
interface ModelSource {
  /** The modules, without running anything. */
  ModelListing listing();

  /** A session that records {@code paths}. */
  ModelSession open(Collection<String> paths) throws IOException;

  /** The epsilon of a batch norm. */
  double epsilon(ModuleDescription batchNorm, ModelSession session) throws IOException;
}
