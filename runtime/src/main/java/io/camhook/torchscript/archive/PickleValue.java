package io.camhook.torchscript.archive;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a pickle describes, as data. Nothing is ever looked up, imported or called: a class is its
 * name, a call is its name and arguments. Other values are Java's own: null, Boolean, Long, Double,
 * String, byte[], List (list and tuple), Map.
 */
sealed interface PickleValue {
  /** A class or function by name, e.g. {@code __torch__.nets.Head}. */
  record Global(String module, String name) implements PickleValue {
    String qualifiedName() {
      return module.isEmpty() ? name : module + "." + name;
    }
  }

  /** A call that a real unpickler would make, e.g. {@code torch._utils._rebuild_tensor_v2(…)}. */
  record Call(Global function, List<@Nullable Object> arguments) implements PickleValue {}

  /** A reference to data outside the pickle; for torch, a storage. */
  record Persistent(@Nullable Object id) implements PickleValue {}

  /** An instance of a class; identity matters, two references to one are a shared module. */
  final class Instance implements PickleValue {
    private final Global type;
    private Map<String, @Nullable Object> state = Map.of();

    Instance(Global type) {
      this.type = type;
    }

    Global type() {
      return type;
    }

    /** Attributes in the order in which they were saved. */
    Map<String, @Nullable Object> state() {
      return state;
    }

    void build(Map<String, @Nullable Object> attributes) {
      state = attributes;
    }
  }
}
