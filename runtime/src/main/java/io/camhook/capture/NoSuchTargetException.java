package io.camhook.capture;

/** A target that the model does not have: the configuration's mistake, not camhook's. */
public final class NoSuchTargetException extends IllegalArgumentException {
  private static final long serialVersionUID = 1L;

  NoSuchTargetException(String message) {
    super(message);
  }
}
