package io.camhook.ort;

/** Carries what a hook threw to the application, past what keeps camhook's own failures inside. */
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
