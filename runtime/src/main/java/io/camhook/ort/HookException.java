package io.camhook.ort;

/**
 * Carries a hook's exception to the application, past the code that contains camhook's own
 * failures.
 */
final class HookException extends RuntimeException {
  private static final long serialVersionUID = 1;

  private final RuntimeException thrown;

  HookException(RuntimeException thrown) {
    super(thrown);
    this.thrown = thrown;
  }

  RuntimeException thrown() {
    return thrown;
  }
}
