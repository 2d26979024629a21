package io.camhook.capture;

import io.camhook.recording.Capture;
import io.camhook.recording.ModelInfo;
import java.io.IOException;

/**
 * Where captures go: a directory, a topic. Called by one thread at a time, that of the {@link
 * CaptureQueue}. Which sink a configuration asks for is decided in one place, {@code Output} of the
 * agent.
 */
public interface CaptureSink {
  /**
   * Writes one capture; when this returns, readers can see it. Its tensors are freed some time
   * later, so a sink that keeps a capture must copy it.
   *
   * @throws CaptureRefusedException if the sink will never accept it; it counts as failed
   * @throws IOException if the sink does not work now; the same capture is retried later, and
   *     nothing is captured until that succeeds
   */
  void write(Capture capture) throws IOException;

  /**
   * The same for a sink that learns later whether a capture has arrived: it returns at once, and
   * calls {@code receipt} exactly once, at any time, on any thread. It then holds a copy.
   *
   * @throws IOException as {@link #write(Capture)}; the receipt is not used then
   */
  default void write(Capture capture, Receipt receipt) throws IOException {
    write(capture);
    receipt.written();
  }

  /** Tells how a capture that a sink accepted has ended. */
  interface Receipt {
    /** The capture can be read where it went. */
    void written();

    /** The capture is lost for good. */
    void refused(CaptureRefusedException why);
  }

  /** Notes a model that captures come from, with its module tree. */
  default void model(ModelInfo model) throws IOException {}

  /** Writes everything that the sink still buffers. */
  default void flush() throws IOException {}

  /** Called every few seconds: the sink may note the status, and tidy up. */
  default void note(CaptureStatus status) throws IOException {}

  /**
   * Captures that the sink had taken and that are lost nevertheless, because others have removed
   * them, since it was opened.
   */
  default long gone() {
    return 0;
  }

  /** Ends the stream; {@code status} has the final counters. Called once, also after failures. */
  void close(CaptureStatus status) throws IOException;
}
