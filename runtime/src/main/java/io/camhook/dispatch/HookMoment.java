package io.camhook.dispatch;

/**
 * A point at which hooks run. An engine runs the hooks of a moment without knowing their {@link
 * HookKind}. If it cannot do something at a moment, it refuses that for all kinds.
 */
public enum HookMoment {
  /** A module is about to run; hooks may replace its inputs. */
  BEFORE_FORWARD,
  /** A module has returned, or failed; hooks may replace its outputs. */
  AFTER_FORWARD,
  /** A module's backward is about to run; hooks may replace the gradients of its outputs. */
  BEFORE_BACKWARD,
  /** A module's backward has run; hooks may replace the gradients of its inputs. */
  AFTER_BACKWARD,
  /** The gradient of a tensor has been computed; hooks may replace it. */
  GRADIENT,
  /** A backward has added to the {@code .grad} of a leaf. */
  ACCUMULATED;

  /** Whether it is in the forward pass. */
  public boolean isForward() {
    return this == BEFORE_FORWARD || this == AFTER_FORWARD;
  }

  /** Whether it also comes when the forward of the module has failed. */
  public boolean comesAfterFailure() {
    return this == AFTER_FORWARD;
  }
}
