package io.camhook.capture;

import io.camhook.recording.Capture;

/** A capture whose tensors are already on the heap. */
public record HeapCapture(Capture capture) implements PendingCapture {
  @Override
  public String id() {
    return capture.id();
  }

  @Override
  public long bytes() {
    return capture.tensorBytes();
  }

  @Override
  public Capture materialize() {
    return capture;
  }

  @Override
  public void discard() {}
}
