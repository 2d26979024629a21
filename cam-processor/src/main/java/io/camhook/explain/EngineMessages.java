package io.camhook.explain;

/** What libtorch says when a model fails, without the trace through its own source. */
final class EngineMessages {
  private static final String CAUSE = "RuntimeError: ";

  private EngineMessages() {}

  static String shortened(Throwable e) {
    String message = String.valueOf(e.getMessage());
    int at = message.lastIndexOf(CAUSE);
    if (at >= 0) {
      message = message.substring(at + CAUSE.length());
    }
    return message.strip().lines().findFirst().orElse("no message");
  }
}
