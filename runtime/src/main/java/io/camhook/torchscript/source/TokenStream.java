package io.camhook.torchscript.source;

import java.util.List;

/** The tokens of one source with a position, and the errors that parsers raise there. */
final class TokenStream {
  private static final int MAX_DEPTH = 200;

  private final String source;
  private final String text;
  private final List<Token> tokens;
  private int at;
  private int depth;

  TokenStream(String source, String text) throws SourceException {
    this.source = source;
    this.text = text;
    this.tokens = Lexer.tokens(source, text);
  }

  Token peek() {
    return tokens.get(at);
  }

  Token peekAfter() {
    return tokens.get(Math.min(at + 1, tokens.size() - 1));
  }

  Token next() {
    Token token = tokens.get(at);
    if (token.kind() != Token.Kind.END) {
      at++;
    }
    return token;
  }

  /** Where the last consumed token ends. */
  int lastEnd() {
    return at == 0 ? 0 : tokens.get(at - 1).end();
  }

  boolean at(String symbol) {
    return peek().is(symbol);
  }

  boolean accept(String symbol) {
    boolean there = at(symbol);
    if (there) {
      next();
    }
    return there;
  }

  Token expect(String symbol) throws SourceException {
    if (!at(symbol)) {
      throw error("'" + symbol + "'");
    }
    return next();
  }

  Token expect(Token.Kind kind, String what) throws SourceException {
    if (peek().kind() != kind) {
      throw error(what);
    }
    return next();
  }

  /** Guards against sources nested so deep that recursive descent would overflow the stack. */
  void enter() throws SourceException {
    if (++depth > MAX_DEPTH) {
      throw new SourceException(
          source, text, peek().start(), "nested deeper than " + MAX_DEPTH + " levels");
    }
  }

  void leave() {
    depth--;
  }

  SourceException error(String expected) {
    Token found = peek();
    String shown =
        switch (found.kind()) {
          case NEWLINE -> "the end of the line";
          case INDENT, DEDENT, BLANK -> "a change of indentation";
          case END -> "the end of the source";
          default -> "'" + found.text() + "'";
        };
    return new SourceException(
        source, text, found.start(), "expected " + expected + ", found " + shown);
  }
}
