package io.camhook.recording;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * Bytes that violate the recording format; the message says what was expected, what was found and
 * where.
 */
public final class RecordingException extends IOException {
  private static final long serialVersionUID = 1L;

  public RecordingException(String message) {
    super(message);
  }

  public RecordingException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }

  /** The usual form: {@code WHERE: expected EXPECTED, found FOUND}. */
  static RecordingException at(String where, String expected, Object found) {
    return new RecordingException(where + ": expected " + expected + ", found " + found);
  }
}
