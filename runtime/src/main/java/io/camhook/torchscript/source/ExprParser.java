package io.camhook.torchscript.source;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Parses expressions by precedence climbing. */
final class ExprParser {
  private static final int COMPARISON = 4;
  private static final int UNARY = 11;
  private static final int POWER = 12;
  private static final Map<String, Integer> PRECEDENCE =
      Map.ofEntries(
          Map.entry("or", 1),
          Map.entry("and", 2),
          Map.entry("in", COMPARISON),
          Map.entry("is", COMPARISON),
          Map.entry("not", COMPARISON),
          Map.entry("==", COMPARISON),
          Map.entry("!=", COMPARISON),
          Map.entry("<", COMPARISON),
          Map.entry(">", COMPARISON),
          Map.entry("<=", COMPARISON),
          Map.entry(">=", COMPARISON),
          Map.entry("|", 5),
          Map.entry("^", 6),
          Map.entry("&", 7),
          Map.entry("<<", 8),
          Map.entry(">>", 8),
          Map.entry("+", 9),
          Map.entry("-", 9),
          Map.entry("*", 10),
          Map.entry("/", 10),
          Map.entry("//", 10),
          Map.entry("%", 10),
          Map.entry("@", 10),
          Map.entry("**", POWER));

  /** Reserved words; {@code True} and the like count as names here. */
  static final Set<String> KEYWORDS =
      Set.of(
          "and",
          "as",
          "assert",
          "break",
          "class",
          "continue",
          "def",
          "del",
          "elif",
          "else",
          "for",
          "from",
          "if",
          "import",
          "in",
          "is",
          "lambda",
          "not",
          "or",
          "pass",
          "raise",
          "return",
          "while",
          "with",
          "yield",
          "try",
          "except",
          "finally",
          "global",
          "nonlocal");

  private final TokenStream in;

  ExprParser(TokenStream in) {
    this.in = in;
  }

  /** {@code a} or {@code a, b} or {@code a, b,}. */
  Expr tupleOrSingle() throws SourceException {
    int start = in.peek().start();
    Expr first = starredOrExpression();
    if (!in.at(",")) {
      return first;
    }
    List<Expr> items = new ArrayList<>(List.of(first));
    boolean trailing = false;
    while (in.accept(",")) {
      trailing = !beginsExpression();
      if (trailing) {
        break;
      }
      items.add(starredOrExpression());
    }
    return new Expr.Tuple(start, in.lastEnd(), items, trailing);
  }

  /** Targets of a for loop or a comprehension: no {@code in} operator. */
  Expr targets() throws SourceException {
    int start = in.peek().start();
    List<Expr> items = new ArrayList<>(List.of(postfix()));
    boolean trailing = false;
    while (in.accept(",")) {
      trailing = in.at("in");
      if (trailing) {
        break;
      }
      items.add(postfix());
    }
    return items.size() == 1 && !trailing
        ? items.get(0)
        : new Expr.Tuple(start, in.lastEnd(), items, trailing);
  }

  /** One expression, a ternary at most. */
  Expr expression() throws SourceException {
    in.enter();
    int start = in.peek().start();
    Expr then = binary(1);
    if (in.accept("if")) {
      Expr condition = binary(1);
      in.expect("else");
      Expr otherwise = expression();
      then = new Expr.Ternary(start, in.lastEnd(), then, condition, otherwise);
    }
    in.leave();
    return then;
  }

  private Expr starredOrExpression() throws SourceException {
    if (!in.at("*")) {
      return expression();
    }
    int start = in.next().start();
    return new Expr.Unary(start, in.lastEnd(), "*", expression());
  }

  private boolean beginsExpression() {
    Token token = in.peek();
    return switch (token.kind()) {
      case NUMBER, STRING -> true;
      case NAME -> !KEYWORDS.contains(token.text()) || token.is("not");
      case OPERATOR -> "([{-+~*...".contains(token.text()) && !token.is(".");
      default -> false;
    };
  }

  private Expr binary(int minimum) throws SourceException {
    int start = in.peek().start();
    Expr left = unary(minimum);
    while (true) {
      Integer precedence = operatorPrecedence();
      if (precedence == null || precedence < minimum) {
        return left;
      }
      String operator = operator();
      in.enter();
      Expr right = binary(precedence == POWER ? UNARY : precedence + 1);
      in.leave();
      left = new Expr.Binary(start, in.lastEnd(), operator, left, right);
    }
  }

  private @Nullable Integer operatorPrecedence() {
    Token token = in.peek();
    if (token.kind() != Token.Kind.OPERATOR && token.kind() != Token.Kind.NAME) {
      return null;
    }
    if (token.is("not") && !in.peekAfter().is("in")) {
      return null;
    }
    return PRECEDENCE.get(token.text());
  }

  private String operator() throws SourceException {
    String operator = in.next().text();
    if (operator.equals("not")) {
      in.expect("in");
      return "not in";
    }
    return operator.equals("is") && in.accept("not") ? "is not" : operator;
  }

  private Expr unary(int minimum) throws SourceException {
    Token token = in.peek();
    boolean not = token.is("not");
    boolean sign = token.is("-") || token.is("+") || token.is("~");
    if (!not && !sign) {
      return postfix();
    }
    in.next();
    in.enter();
    Expr operand = not ? binary(3) : binary(Math.max(UNARY, Math.min(minimum, UNARY)));
    in.leave();
    return new Expr.Unary(token.start(), in.lastEnd(), token.text(), operand);
  }

  private Expr postfix() throws SourceException {
    Expr value = atom();
    int start = value.start();
    while (true) {
      if (in.accept(".")) {
        String name = in.expect(Token.Kind.NAME, "an attribute name").text();
        value = new Expr.Attribute(start, in.lastEnd(), value, name);
      } else if (in.accept("(")) {
        value = call(start, value);
      } else if (in.accept("[")) {
        value = index(start, value);
      } else {
        return value;
      }
    }
  }

  private Expr call(int start, Expr function) throws SourceException {
    List<Expr.Argument> arguments = new ArrayList<>();
    boolean trailing = false;
    in.enter();
    while (!in.at(")")) {
      String name = null;
      if (in.peek().kind() == Token.Kind.NAME && in.peekAfter().is("=")) {
        name = in.next().text();
        in.next();
      }
      arguments.add(new Expr.Argument(name, starredOrExpression()));
      trailing = in.accept(",");
      if (!trailing) {
        break;
      }
    }
    in.expect(")");
    in.leave();
    return new Expr.Call(start, in.lastEnd(), function, arguments, trailing);
  }

  private Expr index(int start, Expr value) throws SourceException {
    List<Expr> items = new ArrayList<>();
    boolean trailing = false;
    in.enter();
    do {
      if (in.at("]") && !items.isEmpty()) {
        break;
      }
      items.add(indexItem());
      trailing = in.accept(",");
    } while (trailing);
    in.expect("]");
    in.leave();
    return new Expr.Index(start, in.lastEnd(), value, items, trailing);
  }

  private Expr indexItem() throws SourceException {
    int start = in.peek().start();
    Expr lower = in.at(":") ? null : expression();
    if (!in.accept(":")) {
      if (lower == null) {
        throw in.error("an index");
      }
      return lower;
    }
    Expr upper = beginsExpression() ? expression() : null;
    boolean second = in.accept(":");
    Expr step = second && beginsExpression() ? expression() : null;
    return new Expr.Slice(start, in.lastEnd(), lower, upper, second, step);
  }

  private Expr atom() throws SourceException {
    Token token = in.peek();
    switch (token.kind()) {
      case NAME -> {
        if (KEYWORDS.contains(token.text())) {
          throw in.error("an expression");
        }
        in.next();
        return new Expr.Name(token.start(), token.end(), token.text());
      }
      case NUMBER -> {
        in.next();
        return new Expr.Num(token.start(), token.end(), token.text());
      }
      case STRING -> {
        List<String> literals = new ArrayList<>();
        while (in.peek().kind() == Token.Kind.STRING) {
          literals.add(in.next().text());
        }
        return new Expr.Str(token.start(), in.lastEnd(), literals);
      }
      default -> {
        return bracketed(token);
      }
    }
  }

  private Expr bracketed(Token token) throws SourceException {
    int start = token.start();
    if (in.accept("...")) {
      return new Expr.Ellipsis(start, token.end());
    }
    in.enter();
    Expr result;
    if (in.accept("(")) {
      Expr inner =
          in.at(")")
              ? new Expr.Tuple(in.peek().start(), in.peek().start(), List.of(), false)
              : tupleOrSingle();
      in.expect(")");
      result = new Expr.Paren(start, in.lastEnd(), inner);
    } else if (in.accept("[")) {
      result = list(start);
    } else if (in.accept("{")) {
      result = dict(start);
    } else {
      throw in.error("an expression");
    }
    in.leave();
    return result;
  }

  private Expr list(int start) throws SourceException {
    List<Expr> items = new ArrayList<>();
    boolean trailing = false;
    while (!in.at("]")) {
      items.add(expression());
      if (items.size() == 1 && in.at("for")) {
        return comprehension(start, null, items.get(0), "]");
      }
      trailing = in.accept(",");
      if (!trailing) {
        break;
      }
    }
    in.expect("]");
    return new Expr.ListOf(start, in.lastEnd(), items, trailing);
  }

  private Expr dict(int start) throws SourceException {
    List<Expr> keys = new ArrayList<>();
    List<Expr> values = new ArrayList<>();
    boolean trailing = false;
    while (!in.at("}")) {
      keys.add(expression());
      in.expect(":");
      values.add(expression());
      if (keys.size() == 1 && in.at("for")) {
        return comprehension(start, keys.get(0), values.get(0), "}");
      }
      trailing = in.accept(",");
      if (!trailing) {
        break;
      }
    }
    in.expect("}");
    return new Expr.Dict(start, in.lastEnd(), keys, values, trailing);
  }

  private Expr comprehension(int start, @Nullable Expr key, Expr element, String close)
      throws SourceException {
    in.expect("for");
    Expr target = targets();
    in.expect("in");
    Expr iterable = binary(1);
    Expr condition = in.accept("if") ? binary(1) : null;
    in.expect(close);
    return new Expr.Comprehension(start, in.lastEnd(), key, element, target, iterable, condition);
  }
}
