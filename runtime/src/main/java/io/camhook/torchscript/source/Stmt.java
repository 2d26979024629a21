package io.camhook.torchscript.source;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A statement of the TorchScript source language. {@code start} is its first character, {@code end}
 * follows its last (without the line break); {@code comment} is a comment at the end of its line,
 * such as a type comment.
 */
public sealed interface Stmt {
  int start();

  int end();

  /**
   * {@code a, b, = value}, {@code a = b = value}, {@code a : T = value}, {@code a : T}; torch
   * writes the colon of an annotation with and without a space before it.
   */
  record Assign(
      int start,
      int end,
      List<Expr> targets,
      boolean spaceBeforeColon,
      @Nullable Expr annotation,
      @Nullable Expr value,
      @Nullable String comment)
      implements Stmt {}

  /** {@code a += value}. */
  record Augment(
      int start, int end, Expr target, String operator, Expr value, @Nullable String comment)
      implements Stmt {}

  /** An expression on its own line. */
  record Evaluate(int start, int end, Expr value, @Nullable String comment) implements Stmt {}

  /** {@code return value}. */
  record Return(int start, int end, @Nullable Expr value, @Nullable String comment)
      implements Stmt {}

  /** {@code pass}, {@code break}, {@code continue}. */
  record Keyword(int start, int end, String word, @Nullable String comment) implements Stmt {}

  /** {@code raise value}, {@code assert value}, {@code del value}, {@code import value}. */
  record Prefixed(int start, int end, String word, Expr value, @Nullable String comment)
      implements Stmt {}

  /** {@code if}; an {@code elif} is an {@code otherwise} of one {@code If} with that flag set. */
  record If(
      int start,
      int end,
      Expr condition,
      List<Stmt> then,
      List<Stmt> otherwise,
      boolean elif,
      @Nullable String comment)
      implements Stmt {}

  /** {@code while condition:}. */
  record While(int start, int end, Expr condition, List<Stmt> body, @Nullable String comment)
      implements Stmt {}

  /** {@code for target in iterable:}. */
  record For(
      int start, int end, Expr target, Expr iterable, List<Stmt> body, @Nullable String comment)
      implements Stmt {}

  /** {@code with context as target:}. */
  record With(int start, int end, List<Context> contexts, List<Stmt> body, @Nullable String comment)
      implements Stmt {}

  /** One {@code context as target} of a {@link With}. */
  record Context(Expr value, @Nullable Expr target) {}

  /**
   * A method or free function. {@code nameStart} is where its name begins, {@code bodyStart} where
   * the first statement of its body does.
   */
  record Function(
      int start,
      int end,
      int nameStart,
      String name,
      List<Parameter> parameters,
      @Nullable Expr returns,
      List<Stmt> body,
      @Nullable String comment)
      implements Stmt {}

  /** One parameter: {@code star} is empty, {@code *} or {@code **}. */
  record Parameter(
      int start,
      int end,
      String star,
      String name,
      @Nullable Expr type,
      @Nullable Expr defaultValue) {}

  /** {@code class Name(bases):}. */
  record ClassDef(
      int start, int end, String name, List<Expr> bases, List<Stmt> body, @Nullable String comment)
      implements Stmt {}

  /** Comments and empty lines between statements, verbatim. */
  record Blank(int start, int end, String text) implements Stmt {}
}
