package io.camhook.engine;

import io.camhook.dispatch.EngineCalls;
import io.camhook.naming.ModuleDescription;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;

/**
 * An adapter to one engine. The agent makes it with its public no-argument constructor in a class
 * loader below the application's, the first time that a woven class of the engine is used, and
 * calls {@link #start} before anything else.
 */
public interface EngineAdapter extends EngineCalls, AutoCloseable {
  /** Starts the adapter. */
  void start(AdapterContext context);

  /**
   * Loads a model for one caller.
   *
   * @param file in the engine's own format
   * @param paths module paths to record; {@code .} is the root
   * @throws IOException if the file is not a model that can be recorded, with the reason
   */
  default ModelSession open(Path file, Collection<String> paths) throws IOException {
    throw new IOException("this engine opens no files");
  }

  /**
   * Opens one of the application's models for one caller. The application's own passes are not
   * affected. The engine's classes must be woven.
   *
   * @param model the engine's model, or its root module
   * @param paths module paths to record, as returned by {@link #describe}
   */
  default ModelSession attach(Object model, Collection<String> paths) {
    throw new IllegalArgumentException("models of this engine cannot be attached to");
  }

  /**
   * The modules of one of the application's models, the root first; empty if they are not known.
   */
  default List<ModuleDescription> describe(Object model) {
    return List.of();
  }

  /** Stops new captures; captures in progress may finish. Idempotent. */
  @Override
  void close();

  /** Frees native memory. No thread is in the adapter any more, and none will enter it. */
  default void release() {}
}
