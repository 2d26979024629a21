package io.camhook.torchscript.source;

/** Source text that the parser does not recognise as TorchScript. */
public final class SourceException extends Exception {
  private static final long serialVersionUID = 1L;

  SourceException(String source, String text, int offset, String what) {
    super(message(source, text, offset, what));
  }

  private static String message(String source, String text, int offset, String what) {
    int line = 1;
    int lineStart = 0;
    int at = Math.min(offset, text.length());
    for (int i = 0; i < at; i++) {
      if (text.charAt(i) == '\n') {
        line++;
        lineStart = i + 1;
      }
    }
    return source + ":" + line + ":" + (at - lineStart + 1) + ": " + what;
  }
}
