package io.camhook.torchscript.flow;

import io.camhook.torchscript.archive.ModuleNode;
import io.camhook.torchscript.source.Expr;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** What the walker knows about a value of the program without running it. */
sealed interface Value {
  /** The origin of everything that outlives a call: parameters, buffers, constants. */
  int STATE = 0;

  /** The makers of a value that is not known to be an operator's. */
  Set<Integer> UNKNOWN = Set.of(-1);

  /** A module instance. */
  record Module(ModuleNode node) implements Value {}

  /** One of several modules, depending on the branch taken. */
  record AnyModule(List<ModuleNode> nodes) implements Value {}

  /** A free function or class by qualified name. */
  record Reference(String qualifiedName) implements Value {}

  /** A literal, or a list of numbers. */
  record Constant(Expr literal) implements Value {
    boolean is(String name) {
      return literal instanceof Expr.Name n && n.id().equals(name);
    }
  }

  /** A module's attribute that is a list of whole numbers. */
  record Numbers(List<Long> items) implements Value {}

  /** A tuple whose elements are known individually. */
  record TupleOf(List<Value> items) implements Value {}

  /**
   * A tensor or container. Each operator call that allocates memory is an origin; two values with a
   * common origin may share memory. Containers grow, so the set is changed in place.
   */
  final class Data implements Value {
    private final Set<Integer> origins;
    private final Layout layout;
    private final @Nullable String type;
    private final @Nullable String parameter;
    private final Map<String, Value> entries = new LinkedHashMap<>();
    private Flow flow = Flow.EMPTY;
    private Set<Integer> makers = UNKNOWN;

    Data(Set<Integer> origins, Layout layout) {
      this(origins, layout, null);
    }

    Data(Set<Integer> origins, Layout layout, @Nullable String type) {
      this(origins, layout, type, null);
    }

    /** The value of a module's attribute. */
    static Data ofParameter(String name) {
      return new Data(Set.of(STATE), Layout.OTHER, null, name);
    }

    /**
     * @param type as TorchScript writes it, if it is known
     */
    private Data(
        Set<Integer> origins, Layout layout, @Nullable String type, @Nullable String parameter) {
      this.origins = new HashSet<>(origins);
      this.layout = layout;
      this.type = type;
      this.parameter = parameter;
    }

    /** The same memory as a value of that type. */
    Data as(@Nullable String known) {
      if (known == null) {
        return this;
      }
      Data typed = new Data(origins, layout, known, parameter).made(flow).by(makers);
      typed.entries.putAll(entries);
      return typed;
    }

    /**
     * Adds the calls that this value depends on: it was computed from them, stores them, or was
     * changed in place by them.
     */
    Data made(Flow of) {
      flow = flow.with(of);
      return this;
    }

    /** Sets the steps of an {@link OperatorTrace} one of which made this value. */
    Data by(Set<Integer> steps) {
      makers = steps;
      return this;
    }

    /** The values of a dict with literal keys; empty for anything else. */
    Map<String, Value> entries() {
      return entries;
    }

    /**
     * The parameter that this value is, {@code fc.weight}; null if it is not a parameter or
     * unknown.
     */
    @Nullable String parameter() {
      return parameter;
    }

    @Nullable String type() {
      return type;
    }

    Set<Integer> origins() {
      return origins;
    }

    Layout layout() {
      return layout;
    }
  }

  /** The module calls that the value depends on. */
  default Flow flow() {
    if (this instanceof Data data) {
      return data.flow;
    }
    return this instanceof TupleOf tuple
        ? Flow.of(tuple.items().stream().map(Value::flow).toList())
        : Flow.EMPTY;
  }

  /** The steps of an {@link OperatorTrace} that made this value, or its elements. */
  default Set<Integer> makers() {
    if (this instanceof Data data) {
      return data.makers;
    }
    return this instanceof TupleOf tuple ? makers(tuple.items()) : UNKNOWN;
  }

  /** The makers of any of several values. */
  static Set<Integer> makers(Collection<Value> values) {
    Set<Integer> all = new TreeSet<>();
    values.forEach(value -> all.addAll(value.makers()));
    return all;
  }

  /** Every origin below this value. */
  default Set<Integer> allOrigins() {
    if (this instanceof Data data) {
      return data.origins();
    }
    Set<Integer> all = new HashSet<>();
    if (this instanceof TupleOf tuple) {
      tuple.items().forEach(i -> all.addAll(i.allOrigins()));
    }
    return all;
  }

  /** Whether it is known to be a tensor. */
  default boolean isTensor() {
    return this instanceof Data data && OperatorResults.TENSOR.equals(data.type());
  }

  /** The layout of it, or of its elements together. */
  default Layout anyLayout() {
    if (this instanceof Data data) {
      return data.layout();
    }
    return this instanceof TupleOf tuple
        ? tuple.items().stream().map(Value::anyLayout).reduce(Layout.OTHER, Layout::or)
        : Layout.OTHER;
  }
}
