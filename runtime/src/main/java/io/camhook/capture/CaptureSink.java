package io.camhook.capture;

import io.camhook.recording.Capture;
import io.camhook.recording.Counters;
import io.camhook.recording.ModelInfo;
import java.io.IOException;

/**
 * Where captures go: a directory, a topic. Called by one thread at a time, that of the {@link
 * CaptureQueue}.
 */
public interface CaptureSink {
  /**
   * Takes one capture. Its tensors are given back when this returns, so a sink that keeps a capture
   * keeps a copy.
   *
   * @throws IOException if it was not taken: the capture counts as failed, later ones are still
   *     tried
   */
  void write(Capture capture) throws IOException;

  /** Notes a model that captures come from, with its module tree. */
  default void model(ModelInfo model) throws IOException {}

  /** Hands on whatever the sink still holds. */
  default void flush() throws IOException {}

  /** Ends the stream; {@code counters} are the final ones. Called once, also after failures. */
  void close(Counters counters) throws IOException;
}
