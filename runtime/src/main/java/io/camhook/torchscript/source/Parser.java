package io.camhook.torchscript.source;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Parses the TorchScript source language: the subset of Python that torch 1.x and 2.x serialise
 * under {@code code/} of an archive. Text it does not know is an error with file, line and column.
 */
public final class Parser {
  private static final Set<String> AUGMENTED =
      Set.of("+=", "-=", "*=", "/=", "//=", "%=", "**=", "&=", "|=", "^=", "<<=", ">>=", "@=");

  private final String source;
  private final String text;
  private final TokenStream in;
  private final ExprParser expressions;

  private Parser(String source, String text) throws SourceException {
    this.source = source;
    this.text = text;
    this.in = new TokenStream(source, text);
    this.expressions = new ExprParser(in);
  }

  /**
   * Parses one source file.
   *
   * @param source its name, for messages
   */
  public static List<Stmt> parse(String source, String text) throws SourceException {
    Parser parser = new Parser(source, text);
    List<Stmt> statements = new ArrayList<>();
    while (parser.in.peek().kind() != Token.Kind.END) {
      parser.statement(statements);
    }
    return statements;
  }

  private void statement(List<Stmt> into) throws SourceException {
    Token token = in.peek();
    if (token.kind() == Token.Kind.BLANK) {
      in.next();
      into.add(new Stmt.Blank(token.start(), token.end(), token.text()));
      return;
    }
    String word = token.kind() == Token.Kind.NAME ? token.text() : "";
    into.add(
        switch (word) {
          case "class" -> classDef();
          case "def" -> function();
          case "if" -> ifStatement();
          case "while" -> whileStatement();
          case "for" -> forStatement();
          case "with" -> withStatement();
          case "return" -> returnStatement();
          case "pass", "break", "continue" -> keyword();
          case "raise", "assert", "del", "import" -> prefixed();
          default -> assignment();
        });
  }

  private Stmt classDef() throws SourceException {
    int start = in.next().start();
    String name = name("a class name").text();
    List<Expr> bases = new ArrayList<>();
    if (in.accept("(")) {
      while (!in.at(")")) {
        bases.add(expressions.expression());
        if (!in.accept(",")) {
          break;
        }
      }
      in.expect(")");
    }
    in.expect(":");
    String comment = lineEnd();
    List<Stmt> body = block();
    return new Stmt.ClassDef(start, lastCodeEnd(body), name, bases, body, comment);
  }

  private Stmt function() throws SourceException {
    int start = in.next().start();
    Token name = name("a function name");
    in.expect("(");
    List<Stmt.Parameter> parameters = new ArrayList<>();
    while (!in.at(")")) {
      parameters.add(parameter());
      if (!in.accept(",")) {
        break;
      }
    }
    in.expect(")");
    Expr returns = in.accept("->") ? expressions.expression() : null;
    in.expect(":");
    String comment = lineEnd();
    List<Stmt> body = block();
    return new Stmt.Function(
        start, lastCodeEnd(body), name.start(), name.text(), parameters, returns, body, comment);
  }

  private Stmt.Parameter parameter() throws SourceException {
    int start = in.peek().start();
    String star = in.accept("**") ? "**" : in.accept("*") ? "*" : "";
    boolean bareStar = star.equals("*") && !(in.peek().kind() == Token.Kind.NAME);
    String name = bareStar ? "" : name("a parameter name").text();
    Expr type = in.accept(":") ? expressions.expression() : null;
    Expr value = in.accept("=") ? expressions.expression() : null;
    return new Stmt.Parameter(start, in.lastEnd(), star, name, type, value);
  }

  private Token name(String what) throws SourceException {
    if (ExprParser.KEYWORDS.contains(in.peek().text())) {
      throw in.error(what);
    }
    return in.expect(Token.Kind.NAME, what);
  }

  private Stmt ifStatement() throws SourceException {
    in.enter();
    int start = in.next().start();
    Expr condition = expressions.expression();
    in.expect(":");
    String comment = lineEnd();
    List<Stmt> then = block();
    List<Stmt> otherwise = List.of();
    boolean elif = in.at("elif");
    if (elif) {
      otherwise = List.of(ifStatement());
    } else if (in.accept("else")) {
      in.expect(":");
      lineEnd();
      otherwise = block();
    }
    in.leave();
    int end = lastCodeEnd(otherwise.isEmpty() ? then : otherwise);
    return new Stmt.If(start, end, condition, then, otherwise, elif, comment);
  }

  private Stmt whileStatement() throws SourceException {
    int start = in.next().start();
    Expr condition = expressions.expression();
    in.expect(":");
    String comment = lineEnd();
    List<Stmt> body = block();
    return new Stmt.While(start, lastCodeEnd(body), condition, body, comment);
  }

  private Stmt forStatement() throws SourceException {
    int start = in.next().start();
    Expr target = expressions.targets();
    in.expect("in");
    Expr iterable = expressions.tupleOrSingle();
    in.expect(":");
    String comment = lineEnd();
    List<Stmt> body = block();
    return new Stmt.For(start, lastCodeEnd(body), target, iterable, body, comment);
  }

  private Stmt withStatement() throws SourceException {
    int start = in.next().start();
    List<Stmt.Context> contexts = new ArrayList<>();
    do {
      Expr value = expressions.expression();
      contexts.add(new Stmt.Context(value, in.accept("as") ? expressions.expression() : null));
    } while (in.accept(","));
    in.expect(":");
    String comment = lineEnd();
    List<Stmt> body = block();
    return new Stmt.With(start, lastCodeEnd(body), contexts, body, comment);
  }

  private Stmt returnStatement() throws SourceException {
    int start = in.next().start();
    Expr value = in.peek().kind() == Token.Kind.NEWLINE ? null : expressions.tupleOrSingle();
    int end = in.lastEnd();
    return new Stmt.Return(start, end, value, lineEnd());
  }

  private Stmt keyword() throws SourceException {
    Token word = in.next();
    return new Stmt.Keyword(word.start(), word.end(), word.text(), lineEnd());
  }

  private Stmt prefixed() throws SourceException {
    Token word = in.next();
    Expr value = expressions.tupleOrSingle();
    int end = in.lastEnd();
    return new Stmt.Prefixed(word.start(), end, word.text(), value, lineEnd());
  }

  private Stmt assignment() throws SourceException {
    int start = in.peek().start();
    Expr first = expressions.tupleOrSingle();
    if (in.at(":")) {
      boolean spaced = in.next().start() > first.end();
      Expr annotation = expressions.expression();
      Expr value = in.accept("=") ? expressions.tupleOrSingle() : null;
      int end = in.lastEnd();
      return new Stmt.Assign(start, end, List.of(first), spaced, annotation, value, lineEnd());
    }
    if (AUGMENTED.contains(in.peek().text())) {
      String operator = in.next().text();
      Expr value = expressions.tupleOrSingle();
      int end = in.lastEnd();
      return new Stmt.Augment(start, end, first, operator, value, lineEnd());
    }
    if (!in.at("=")) {
      int end = in.lastEnd();
      return new Stmt.Evaluate(start, end, first, lineEnd());
    }
    List<Expr> targets = new ArrayList<>();
    Expr value = first;
    while (in.accept("=")) {
      targets.add(value);
      value = expressions.tupleOrSingle();
    }
    int end = in.lastEnd();
    return new Stmt.Assign(start, end, targets, false, null, value, lineEnd());
  }

  private List<Stmt> block() throws SourceException {
    List<Stmt> body = new ArrayList<>();
    in.enter();
    while (in.peek().kind() == Token.Kind.BLANK) {
      statement(body);
    }
    in.expect(Token.Kind.INDENT, "an indented block");
    while (in.peek().kind() != Token.Kind.DEDENT && in.peek().kind() != Token.Kind.END) {
      statement(body);
    }
    if (in.peek().kind() == Token.Kind.DEDENT) {
      in.next();
    }
    in.leave();
    return body;
  }

  private @Nullable String lineEnd() throws SourceException {
    Token end = in.expect(Token.Kind.NEWLINE, "the end of the line");
    return end.text().isEmpty() ? null : end.text();
  }

  private int lastCodeEnd(List<Stmt> body) throws SourceException {
    for (int i = body.size() - 1; i >= 0; i--) {
      if (!(body.get(i) instanceof Stmt.Blank)) {
        return body.get(i).end();
      }
    }
    throw new SourceException(source, text, in.peek().start(), "an empty block");
  }
}
