package io.camhook.ort;

/** A run of an ONNX model that failed, or cannot give what was asked of it; one line. */
public final class OrtRunException extends RuntimeException {
  private static final long serialVersionUID = 1;

  OrtRunException(String message, Throwable cause) {
    super(message, cause);
  }

  OrtRunException(String message) {
    super(message);
  }
}
