package io.camhook.spi;

import io.camhook.dispatch.EngineCalls;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collection;

/**
 * An adapter to one engine. The agent makes it with its public no-argument constructor in a class
 * loader below the application's, the first time that a woven class of the engine is used, and
 * calls {@link #start} before anything else.
 */
public interface EngineAdapter extends EngineCalls, AutoCloseable {
  /** Class name of DJL's adapter. */
  String DJL = "io.camhook.djl.DjlAdapter";

  /** Gives the adapter what it works with; it may begin to work. */
  void start(AdapterContext context);

  /**
   * Loads a TorchScript model for one caller.
   *
   * @param file the archive
   * @param paths module paths that are recorded; {@code .} is the root
   * @throws IOException if the file is no archive that can be recorded, with the reason
   */
  ModelSession open(Path file, Collection<String> paths) throws IOException;

  /** Stops new captures; what is under way may end. Idempotent. */
  @Override
  void close();
}
