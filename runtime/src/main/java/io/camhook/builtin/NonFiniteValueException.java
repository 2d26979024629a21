package io.camhook.builtin;

/** The hook {@code nan-guard} with {@code action: throw} has found NaN or infinity. */
public final class NonFiniteValueException extends ArithmeticException {
  NonFiniteValueException(String message) {
    super(message);
  }
}
