package io.camhook.agent.weave;

import io.camhook.dispatch.EventLog;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.WeakHashMap;
import net.bytebuddy.description.type.TypeDescription;
import net.bytebuddy.dynamic.ClassFileLocator;
import net.bytebuddy.matcher.ElementMatcher;
import net.bytebuddy.pool.TypePool;
import org.jspecify.annotations.Nullable;

/**
 * Whether the DJL that a class loader sees has the methods that are woven and that the adapter
 * relies on. Where one is missing, nothing of that DJL is woven and one line says which. Asked once
 * a loader; classes that the loader does not see at all are no mismatch.
 */
final class DjlSignatures extends ElementMatcher.Junction.AbstractBase<ClassLoader> {
  private static final String STORE = "ai.djl.training.ParameterStore";
  private static final String LIST = "ai.djl.ndarray.NDList";
  private static final String PAIRS = "ai.djl.util.PairList";
  private static final String MANAGER = "ai.djl.pytorch.engine.PtNDManager";
  private static final String SCRIPT = "ai.djl.pytorch.engine.PtSymbolBlock";
  private static final String ARRAY = "ai.djl.pytorch.engine.PtNDArray";

  /** A method that must be there. */
  private record Required(String type, String result, String name, List<String> parameters) {
    String descriptor() {
      StringBuilder descriptor = new StringBuilder("(");
      parameters.forEach(parameter -> descriptor.append(descriptor(parameter)));
      return descriptor.append(')').append(descriptor(result)).toString();
    }

    private static String descriptor(String name) {
      return switch (name) {
        case "boolean" -> "Z";
        case "void" -> "V";
        default ->
            name.endsWith("[]")
                ? "[" + descriptor(name.substring(0, name.length() - 2))
                : "L" + name.replace('.', '/') + ";";
      };
    }

    @Override
    public String toString() {
      return "%s %s.%s(%s)".formatted(result, type, name, String.join(",", parameters));
    }
  }

  private static final List<Required> REQUIRED =
      List.of(
          new Required(
              "ai.djl.nn.AbstractBaseBlock",
              LIST,
              "forward",
              List.of(STORE, LIST, "boolean", PAIRS)),
          new Required(
              "ai.djl.nn.AbstractBaseBlock", LIST, "forward", List.of(STORE, LIST, LIST, PAIRS)),
          new Required(
              "ai.djl.inference.Predictor",
              "java.util.List",
              "batchPredict",
              List.of("java.util.List")),
          new Required("ai.djl.training.Trainer", LIST, "forward", List.of(LIST)),
          new Required(
              "ai.djl.pytorch.jni.JniUtils",
              "void",
              "backward",
              List.of(ARRAY, ARRAY, "boolean", "boolean")),
          new Required(
              "ai.djl.pytorch.jni.JniUtils",
              SCRIPT,
              "loadModule",
              List.of(
                  MANAGER,
                  "java.nio.file.Path",
                  "boolean",
                  "java.lang.String[]",
                  "java.lang.String[]",
                  "boolean")),
          new Required(
              "ai.djl.pytorch.jni.JniUtils",
              SCRIPT,
              "loadModule",
              List.of(MANAGER, "java.io.InputStream", "boolean", "boolean")),
          new Required(
              "ai.djl.pytorch.jni.IValueUtils", LIST, "forward", List.of(SCRIPT, LIST, "boolean")));

  private final EventLog log;
  private final Map<ClassLoader, Boolean> known = new WeakHashMap<>();

  DjlSignatures(EventLog log) {
    this.log = log;
  }

  @Override
  public boolean matches(@Nullable ClassLoader loader) {
    if (loader == null) {
      return false;
    }
    synchronized (known) {
      return known.computeIfAbsent(loader, this::check);
    }
  }

  private boolean check(ClassLoader loader) {
    TypePool pool = TypePool.Default.of(ClassFileLocator.ForClassLoader.of(loader));
    List<String> missing = new ArrayList<>();
    for (Required required : REQUIRED) {
      TypePool.Resolution type = pool.describe(required.type);
      if (type.isResolved() && !has(type.resolve(), required)) {
        missing.add(required.toString());
      }
    }
    if (!missing.isEmpty()) {
      log.warn(
          "this DJL is not instrumented: expected %s, found none; use DJL 0.35"
              .formatted(String.join(" and ", missing)));
    }
    return missing.isEmpty();
  }

  private static boolean has(TypeDescription type, Required required) {
    // Descriptors are text in the class file: the types that they name need not be found.
    return type.getDeclaredMethods().asDefined().stream()
        .anyMatch(
            method ->
                method.getName().equals(required.name)
                    && method.getDescriptor().equals(required.descriptor()));
  }
}
