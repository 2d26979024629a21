package io.camhook.plain;

import io.camhook.capture.PendingCapture;
import io.camhook.recording.Capture;

/** A capture that could not be made; it goes through the queue to be counted as failed. */
record LostCapture(RuntimeException cause) implements PendingCapture {
  @Override
  public long bytes() {
    return 0;
  }

  @Override
  public Capture materialize() {
    throw new IllegalStateException("the pass could not be captured", cause);
  }

  @Override
  public void discard() {}
}
