package io.camhook.ort;

/** A run of an ONNX model failed or cannot give what was requested; the message is one line. */
public final class OrtRunException extends RuntimeException {
  private static final long serialVersionUID = 1;

  OrtRunException(String message, Throwable cause) {
    super(message, cause);
  }

  OrtRunException(String message) {
    super(message);
  }
}
