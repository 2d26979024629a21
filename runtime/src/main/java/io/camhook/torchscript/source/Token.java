package io.camhook.torchscript.source;

/**
 * One token of TorchScript source. The text of a {@link Kind#NEWLINE} is the comment before it, of
 * a {@link Kind#BLANK} the line.
 */
record Token(Kind kind, String text, int start, int end) {
  enum Kind {
    NAME,
    NUMBER,
    STRING,
    OPERATOR,
    NEWLINE,
    INDENT,
    DEDENT,
    BLANK,
    END
  }

  boolean is(String symbol) {
    return (kind == Kind.OPERATOR || kind == Kind.NAME) && text.equals(symbol);
  }
}
