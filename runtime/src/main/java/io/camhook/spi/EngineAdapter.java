package io.camhook.spi;

import io.camhook.dispatch.EngineCalls;

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

  /** Stops new captures; what is under way may end. Idempotent. */
  @Override
  void close();
}
