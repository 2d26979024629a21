package io.camhook.capture;

/**
 * The model does not have the configured target. The mistake is in the configuration, not in
 * camhook.
 */
public final class NoSuchTargetException extends IllegalArgumentException {
  private static final long serialVersionUID = 1L;

  /** Creates the exception with what was expected and found. */
  public NoSuchTargetException(String message) {
    super(message);
  }
}
