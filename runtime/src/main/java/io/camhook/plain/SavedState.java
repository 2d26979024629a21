package io.camhook.plain;

import io.camhook.capture.Admission;

/**
 * A saved state of a network, restored when this is closed, and the room in the queue that it
 * occupies.
 */
final class SavedState implements AutoCloseable {
  private final StateSnapshot snapshot;
  private final Admission room;

  SavedState(StateSnapshot snapshot, Admission room) {
    this.snapshot = snapshot;
    this.room = room;
  }

  @Override
  public void close() {
    try {
      snapshot.restore();
    } finally {
      room.close();
    }
  }
}
