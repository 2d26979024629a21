package io.camhook.capture;

/** A target that the model does not have: the configuration's mistake, not camhook's. */
public final class NoSuchTargetException extends IllegalArgumentException {
  private static final long serialVersionUID = 1L;

  /** Creates the exception with what was expected and found. */
  public NoSuchTargetException(String message) {
    super(message);
  }
}
