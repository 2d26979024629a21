package io.camhook.agent.weave;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.index.NDIndex;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * Evaluates the formulas of the scenarios: sums, differences and products of numbers, tensors and
 * tuples, calls, {@code args[0]} and {@code (a, b)}.
 */
final class Expression {
  private final String text;
  private final Map<String, Object> names;
  private final Map<String, Function<NDList, Object>> functions;
  private int at;

  private Expression(
      String text, Map<String, Object> names, Map<String, Function<NDList, Object>> functions) {
    this.text = text;
    this.names = names;
    this.functions = functions;
  }

  /** An NDArray, an NDList (a tuple), a Double or null (None). */
  static Object evaluate(
      String text, Map<String, Object> names, Map<String, Function<NDList, Object>> functions) {
    Expression expression = new Expression(text, names, functions);
    Object value = expression.sum();
    if (expression.peek() != 0) {
      throw new IllegalArgumentException("cannot read '" + text + "' at " + expression.at);
    }
    return value;
  }

  private Object sum() {
    Object value = product();
    while (peek() == '+' || peek() == '-') {
      char operator = next();
      value = apply(operator, value, product());
    }
    return value;
  }

  private Object product() {
    Object value = factor();
    while (peek() == '*') {
      next();
      value = apply('*', value, factor());
    }
    return value;
  }

  private Object factor() {
    if (peek() == '-') {
      next();
      return apply('*', -1.0, factor());
    }
    Object value = primary();
    while (peek() == '[') {
      next();
      List<Object> index = list(']');
      value =
          value instanceof NDList tuple
              ? tuple.get(((Double) index.get(0)).intValue())
              : ((NDArray) value)
                  .get(
                      new NDIndex(
                          ((Double) index.get(0)).longValue(),
                          ((Double) index.get(1)).longValue()));
    }
    return value;
  }

  private Object primary() {
    char c = peek();
    if (c == '(') {
      next();
      int before = at;
      List<Object> entries = list(')');
      boolean tuple = entries.size() != 1 || text.substring(before, at).contains(",)");
      return tuple ? tuple(entries) : entries.get(0);
    }
    int start = at;
    while (at < text.length()
        && (Character.isLetterOrDigit(text.charAt(at)) || "._".indexOf(text.charAt(at)) >= 0)) {
      at++;
    }
    String word = text.substring(start, at);
    if (word.equals("None")) {
      return null;
    }
    if (Character.isDigit(word.charAt(0))) {
      return Double.valueOf(word);
    }
    if (peek() == '(' && functions.containsKey(word)) {
      next();
      return functions.get(word).apply(tuple(list(')')));
    }
    if (!names.containsKey(word)) {
      throw new IllegalArgumentException("unknown '" + word + "' in '" + text + "'");
    }
    return names.get(word);
  }

  private List<Object> list(char end) {
    List<Object> entries = new ArrayList<>();
    while (peek() != end) {
      entries.add(sum());
      if (peek() == ',') {
        next();
      }
    }
    next();
    return entries;
  }

  private static NDList tuple(List<Object> entries) {
    NDList tuple = new NDList();
    entries.forEach(entry -> tuple.add((NDArray) entry));
    return tuple;
  }

  static Object apply(char operator, Object a, Object b) {
    if (a instanceof Double x && b instanceof Double y) {
      return operator == '+' ? x + y : operator == '-' ? x - y : x * y;
    }
    if (a instanceof Double x) {
      NDArray y = (NDArray) b;
      float f = x.floatValue();
      return operator == '+' ? y.add(f) : operator == '-' ? y.neg().add(f) : Nets.times(y, f);
    }
    NDArray x = (NDArray) a;
    if (b instanceof Double number) {
      float y = number.floatValue();
      return operator == '+' ? x.add(y) : operator == '-' ? x.sub(y) : Nets.times(x, y);
    }
    NDArray y = (NDArray) b;
    return operator == '+' ? x.add(y) : operator == '-' ? x.sub(y) : x.mul(y);
  }

  private char peek() {
    while (at < text.length() && text.charAt(at) == ' ') {
      at++;
    }
    return at < text.length() ? text.charAt(at) : 0;
  }

  private char next() {
    char c = peek();
    at++;
    return c;
  }
}
