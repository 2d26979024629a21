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
  /** Gives the adapter what it works with; it may begin to work. */
  void start(AdapterContext context);

  /**
   * Loads a model for one caller.
   *
   * @param file in the engine's own format
   * @param paths module paths that are recorded; {@code .} is the root
   * @throws IOException if the file is no model that can be recorded, with the reason
   */
  default ModelSession open(Path file, Collection<String> paths) throws IOException {
    throw new IOException("this engine opens no files");
  }

  /**
   * Takes a model that the application has, for one caller. Its own passes stay as they are; needs
   * the engine's classes to be woven.
   *
   * @param model the engine's model, or its root module
   * @param paths module paths that are recorded, as {@link #describe} has them
   */
  default ModelSession attach(Object model, Collection<String> paths) {
    throw new IllegalArgumentException("models of this engine cannot be attached to");
  }

  /** The modules of a model of the application, the root first; empty where they are not known. */
  default List<ModuleDescription> describe(Object model) {
    return List.of();
  }

  /** Stops new captures; what is under way may end. Idempotent. */
  @Override
  void close();

  /** Gives native memory back; no thread is in the adapter any more, and none will be. */
  default void release() {}
}
