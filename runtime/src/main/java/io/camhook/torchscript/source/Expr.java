package io.camhook.torchscript.source;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** An expression of the TorchScript source language, with where its text begins and ends. */
public sealed interface Expr {
  int start();

  int end();

  /** An identifier; also {@code True}, {@code False}, {@code None}, {@code inf}, {@code nan}. */
  record Name(int start, int end, String id) implements Expr {}

  /** A number as it is written: {@code 1}, {@code 0.10000000000000001}, {@code 2j}. */
  record Num(int start, int end, String text) implements Expr {}

  /** One or more adjacent string literals as they are written, quotes included. */
  record Str(int start, int end, List<String> literals) implements Expr {}

  /** {@code ...}. */
  record Ellipsis(int start, int end) implements Expr {}

  /** {@code value.name}. */
  record Attribute(int start, int end, Expr value, String name) implements Expr {}

  /** {@code function(arguments)}; torch writes a trailing comma after method arguments. */
  record Call(int start, int end, Expr function, List<Argument> arguments, boolean trailingComma)
      implements Expr {}

  /** {@code value[items]}. */
  record Index(int start, int end, Expr value, List<Expr> items, boolean trailingComma)
      implements Expr {}

  /** {@code lower:upper:step} inside of an index; {@code step} is absent without second colon. */
  record Slice(
      int start,
      int end,
      @Nullable Expr lower,
      @Nullable Expr upper,
      boolean secondColon,
      @Nullable Expr step)
      implements Expr {}

  /** {@code a, b} without its parentheses. */
  record Tuple(int start, int end, List<Expr> items, boolean trailingComma) implements Expr {}

  /** {@code (inner)}; {@code ()} has an empty {@link Tuple} inside. */
  record Paren(int start, int end, Expr inner) implements Expr {}

  /** {@code [a, b]}. */
  record ListOf(int start, int end, List<Expr> items, boolean trailingComma) implements Expr {}

  /** <code>{a: b}</code>. */
  record Dict(int start, int end, List<Expr> keys, List<Expr> values, boolean trailingComma)
      implements Expr {}

  /** {@code [element for target in iterable if condition]}, with a key in braces for a dict. */
  record Comprehension(
      int start,
      int end,
      @Nullable Expr key,
      Expr element,
      Expr target,
      Expr iterable,
      @Nullable Expr condition)
      implements Expr {}

  /** {@code -x}, {@code not x}, and {@code *x} in an argument list or target. */
  record Unary(int start, int end, String operator, Expr operand) implements Expr {}

  /** {@code a + b}, {@code a is not b}, {@code a and b}. */
  record Binary(int start, int end, String operator, Expr left, Expr right) implements Expr {}

  /** {@code then if condition else otherwise}. */
  record Ternary(int start, int end, Expr then, Expr condition, Expr otherwise) implements Expr {}

  /** One argument of a call, with its name if it is given by name. */
  record Argument(@Nullable String name, Expr value) {}
}
