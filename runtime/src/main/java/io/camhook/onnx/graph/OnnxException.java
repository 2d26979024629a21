package io.camhook.onnx.graph;

import java.io.IOException;

/**
 * An ONNX file cannot be read, or does not support what was requested. The message is one line:
 * what was expected, what was found, and what to do about it if anything helps.
 */
public final class OnnxException extends IOException {
  private static final long serialVersionUID = 1;

  public OnnxException(String message) {
    super(oneLine(message));
  }

  public OnnxException(String message, Throwable cause) {
    super(oneLine(message), cause);
  }

  /** Names come from the file, which may hold anything. */
  private static String oneLine(String message) {
    return message.replaceAll("[\\p{Cntrl}\u2028\u2029]+", " ");
  }
}
