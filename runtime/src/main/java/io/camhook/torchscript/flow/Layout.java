package io.camhook.torchscript.flow;

import io.camhook.torchscript.source.Expr;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What the code shows of a value's axes. */
enum Layout {
  /** No map, or unknown. */
  OTHER,
  /** What a global pool leaves of a map, {@code [N,C,1,1]}, also after convolutions. */
  ONE_POSITION,
  /** A map after a {@code permute} that moved the channels to the end. */
  CHANNELS_LAST,
  /** A map of positions after the channels: {@code [N,C,L]}, {@code [N,C,H,W]}. */
  CHANNELS_FIRST;

  /** The layout of what may be either. A map wins, because the other branch often has none. */
  Layout or(Layout other) {
    return compareTo(other) >= 0 ? this : other;
  }

  /**
   * The layout after {@code permute}.
   *
   * @param axes its second argument
   */
  Layout permuted(@Nullable Value axes) {
    List<Long> order = numbers(axes);
    int rank = order.size();
    List<Long> toLast = new ArrayList<>(List.of(0L));
    List<Long> toFirst = new ArrayList<>(List.of(0L, rank - 1L));
    for (long i = 1; i < rank; i++) {
      toLast.add(i == rank - 1 ? 1 : i + 1);
      if (i < rank - 1) {
        toFirst.add(i);
      }
    }
    if (rank < 3) {
      return OTHER;
    } else if (this == CHANNELS_FIRST && order.equals(toLast)) {
      return CHANNELS_LAST;
    }
    return this == CHANNELS_LAST && order.equals(toFirst) ? CHANNELS_FIRST : OTHER;
  }

  /** From 0; empty if they are not known. */
  private static List<Long> numbers(@Nullable Value axes) {
    List<Long> numbers = new ArrayList<>();
    if (axes instanceof Value.Numbers known) {
      numbers.addAll(known.items());
    } else if (axes instanceof Value.Constant constant
        && constant.literal() instanceof Expr.ListOf list) {
      for (Expr item : list.items()) {
        Long number = number(item);
        if (number == null) {
          return List.of();
        }
        numbers.add(number);
      }
    }
    int rank = numbers.size();
    numbers.replaceAll(number -> number < 0 ? number + rank : number);
    return numbers;
  }

  private static @Nullable Long number(Expr item) {
    if (item instanceof Expr.Unary unary && unary.operator().equals("-")) {
      Long operand = number(unary.operand());
      return operand == null ? null : Long.valueOf(-operand);
    }
    return item instanceof Expr.Num number && number.text().matches("\\d")
        ? Long.valueOf(number.text())
        : null;
  }
}
