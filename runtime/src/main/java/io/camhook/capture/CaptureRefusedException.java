package io.camhook.capture;

import java.io.IOException;

/**
 * A sink will never accept this capture, however often it is retried; other captures may be fine.
 */
public final class CaptureRefusedException extends IOException {
  private static final long serialVersionUID = 1L;

  public CaptureRefusedException(String message) {
    super(message);
  }
}
