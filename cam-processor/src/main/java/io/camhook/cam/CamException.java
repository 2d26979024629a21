package io.camhook.cam;

/**
 * The request cannot be explained: the data lacks something that the method needs, or an option
 * does not fit the data. The message is one line that says what was expected, what was found,
 * where, and what to do.
 */
public final class CamException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public CamException(String message) {
    super(message);
  }
}
