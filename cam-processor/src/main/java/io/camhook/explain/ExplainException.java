package io.camhook.explain;

/** A model could not be loaded, fed or explained; the message is one line for the user. */
public class ExplainException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** Creates the exception with a complete sentence. */
  public ExplainException(String message) {
    super(message);
  }

  /** Creates the exception with a complete sentence and its cause. */
  public ExplainException(String message, Throwable cause) {
    super(message, cause);
  }
}
