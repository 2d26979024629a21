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
  /** Class name of DJL's adapter. */
  String DJL = "io.camhook.djl.DjlAdapter";

  /** Class name of onnxruntime's. */
  String ORT = "io.camhook.ort.OrtAdapter";

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

  /**
   * Takes a model that the application has, for one caller. Its own passes stay as they are; needs
   * the engine's classes to be woven.
   *
   * @param model the engine's model, or its root module
   * @param paths module paths that are recorded, as {@link #describe} has them
   */
  ModelSession attach(Object model, Collection<String> paths);

  /** The modules of a model of the application, the root first. */
  List<ModuleDescription> describe(Object model);

  /** Stops new captures; what is under way may end. Idempotent. */
  @Override
  void close();

  /** Gives native memory back; no thread is in the adapter any more, and none will be. */
  default void release() {}
}
