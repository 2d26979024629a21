package io.camhook.builtin;

/**
 * Thrown by the hook {@code nan-guard} with {@code action: throw} when it finds NaN or infinity.
 */
public final class NonFiniteValueException extends ArithmeticException {
  NonFiniteValueException(String message) {
    super(message);
  }
}
