package io.camhook.plain;

/**
 * The queue has no room for a snapshot of the network's state; the capture has been counted as
 * dropped.
 */
final class NoRoomException extends RuntimeException {
  private static final long serialVersionUID = 1;

  NoRoomException(long bytes) {
    super("no room for %d bytes of state".formatted(bytes), null, false, false);
  }
}
