package io.camhook.torchscript.source;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/** Cuts TorchScript source into tokens, with Python's rules for indentation and brackets. */
final class Lexer {
  private static final String[] OPERATORS = {
    "**=", "//=", ">>=", "<<=", "...", "->", "==", "!=", "<=", ">=", "+=", "-=", "*=", "/=", "%=",
    "&=", "|=", "^=", "@=", "**", "//", "<<", ">>", "(", ")", "[", "]", "{", "}", ",", ":", ".",
    "=", "+", "-", "*", "/", "%", "@", "<", ">", "&", "|", "^", "~", ";"
  };

  private final String source;
  private final String text;
  private final List<Token> tokens = new ArrayList<>();
  private final Deque<Integer> indents = new ArrayDeque<>();
  private int at;
  private int brackets;

  private Lexer(String source, String text) {
    this.source = source;
    this.text = text;
  }

  static List<Token> tokens(String source, String text) throws SourceException {
    return new Lexer(source, text).run();
  }

  private List<Token> run() throws SourceException {
    indents.push(0);
    while (at < text.length()) {
      if (brackets == 0 && atLineStart() && !beginLine()) {
        continue;
      }
      next();
    }
    if (brackets > 0) {
      throw error("a bracket is never closed");
    }
    if (!atLineStart()) {
      add(Token.Kind.NEWLINE, "", at);
    }
    dedentTo(0);
    add(Token.Kind.END, "", at);
    return tokens;
  }

  private boolean atLineStart() {
    return at == 0 || text.charAt(at - 1) == '\n';
  }

  /** Measures the indentation of a line; false if the line holds no code and was consumed. */
  private boolean beginLine() throws SourceException {
    int start = at;
    while (at < text.length() && text.charAt(at) == ' ') {
      at++;
    }
    if (at == text.length() || "#\r\n".indexOf(text.charAt(at)) >= 0) {
      int end = text.indexOf('\n', at);
      at = end < 0 ? text.length() : end;
      tokens.add(new Token(Token.Kind.BLANK, text.substring(start, at), start, at));
      at = Math.min(at + 1, text.length());
      return false;
    }
    int width = at - start;
    if (width > indents.getFirst()) {
      indents.push(width);
      add(Token.Kind.INDENT, "", at);
    } else {
      dedentTo(width);
    }
    return true;
  }

  private void dedentTo(int width) throws SourceException {
    while (indents.getFirst() > width) {
      indents.pop();
      add(Token.Kind.DEDENT, "", at);
    }
    if (indents.getFirst() != width) {
      throw error("indentation of " + width + " fits no enclosing block");
    }
  }

  private void next() throws SourceException {
    char c = text.charAt(at);
    int start = at;
    if (c == '\n') {
      at++;
      if (brackets == 0) {
        add(Token.Kind.NEWLINE, "", start);
      }
    } else if (c == ' ' || c == '\r' || c == '\t') {
      at++;
    } else if (c == '#') {
      int end = text.indexOf('\n', at);
      at = end < 0 ? text.length() : end;
      if (brackets == 0) {
        add(Token.Kind.NEWLINE, text.substring(start, at), start);
        at = Math.min(at + 1, text.length());
      }
    } else if (c == '\\' && text.startsWith("\\\n", at)) {
      at += 2;
    } else if (Character.isLetter(c) || c == '_') {
      while (at < text.length() && isNamePart(text.charAt(at))) {
        at++;
      }
      add(Token.Kind.NAME, text.substring(start, at), start);
    } else if (Character.isDigit(c) || (c == '.' && Character.isDigit(peek(1)))) {
      number();
      add(Token.Kind.NUMBER, text.substring(start, at), start);
    } else if (c == '"' || c == '\'') {
      string(c);
      add(Token.Kind.STRING, text.substring(start, at), start);
    } else {
      operator(start);
    }
  }

  private static boolean isNamePart(char c) {
    return Character.isLetterOrDigit(c) || c == '_';
  }

  private char peek(int ahead) {
    return at + ahead < text.length() ? text.charAt(at + ahead) : '\0';
  }

  private void number() {
    while (at < text.length()) {
      char c = text.charAt(at);
      boolean exponentSign =
          (c == '+' || c == '-') && "eE".indexOf(text.charAt(at - 1)) >= 0 && !hexadecimal();
      if (!Character.isLetterOrDigit(c) && c != '.' && !exponentSign) {
        return;
      }
      at++;
    }
  }

  private boolean hexadecimal() {
    int start = at;
    while (start > 0 && isNamePart(text.charAt(start - 1))) {
      start--;
    }
    return text.startsWith("0x", start);
  }

  private void string(char quote) throws SourceException {
    at++;
    while (at < text.length() && text.charAt(at) != quote) {
      if (text.charAt(at) == '\n') {
        throw error("a string is not closed before the end of its line");
      }
      at += text.charAt(at) == '\\' ? 2 : 1;
    }
    if (at >= text.length()) {
      throw error("a string is never closed");
    }
    at++;
  }

  private void operator(int start) throws SourceException {
    for (String operator : OPERATORS) {
      if (text.startsWith(operator, at)) {
        at += operator.length();
        if ("([{".contains(operator)) {
          brackets++;
        } else if (")]}".contains(operator)) {
          brackets--;
          if (brackets < 0) {
            throw error("'" + operator + "' closes nothing");
          }
        }
        add(Token.Kind.OPERATOR, operator, start);
        return;
      }
    }
    throw error("unexpected character '" + text.charAt(at) + "'");
  }

  private void add(Token.Kind kind, String value, int start) {
    tokens.add(new Token(kind, value, start, at));
  }

  private SourceException error(String what) {
    return new SourceException(source, text, at, what);
  }
}
