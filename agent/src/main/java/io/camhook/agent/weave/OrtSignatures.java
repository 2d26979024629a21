package io.camhook.agent.weave;

import io.camhook.agent.links.EngineLinks;
import io.camhook.dispatch.EventLog;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.WeakHashMap;
import java.util.stream.Collectors;
import net.bytebuddy.description.method.MethodDescription;
import net.bytebuddy.matcher.ElementMatcher;
import org.jspecify.annotations.Nullable;

/**
 * Checks whether the onnxruntime that a class loader sees has the methods to be woven and
 * everything that the adapter links to. If anything is missing, it is not woven and one line says
 * so. Checked once per loader.
 */
final class OrtSignatures extends ElementMatcher.Junction.AbstractBase<ClassLoader> {
  private static final String RANGE = "1.16 to 1.23";
  private static final int NAMED = 3;
  private static final String SESSION = "ai/onnxruntime/OrtSession";
  private static final String CREATE =
      "ai/onnxruntime/OrtEnvironment createSession"
          + " (%sLai/onnxruntime/OrtAllocator;Lai/onnxruntime/OrtSession$SessionOptions;)Lai/onnxruntime/OrtSession;";
  private static final String RESULT =
      "Lai/onnxruntime/OrtSession$RunOptions;)Lai/onnxruntime/OrtSession$Result;";
  private static final String RUN_OF_THREE = "(Ljava/util/Map;Ljava/util/Set;" + RESULT;
  private static final String RUN_OF_FOUR =
      "(Ljava/util/Map;Ljava/util/Set;Ljava/util/Map;" + RESULT;

  /** What is woven: the adapter's links do not include it. */
  private static final List<String> ALSO =
      List.of(
          CREATE.formatted("Ljava/lang/String;"),
          CREATE.formatted("[B"),
          SESSION + " run " + RUN_OF_THREE,
          SESSION + " close ()V",
          "ai/onnxruntime/OrtEnvironment$OrtEnvCloser run ()V");

  /** Members that the adapter can do without. */
  private static final List<String> OPTIONAL = List.of("TensorInfo.getDimensionNames()");

  private final EventLog log;
  private final Map<ClassLoader, Boolean> known = new WeakHashMap<>();

  OrtSignatures(EventLog log) {
    this.log = log;
  }

  /**
   * The {@code run} method that all others call: it has three arguments until 1.16 and four since.
   */
  static final class LongestRun extends ElementMatcher.Junction.AbstractBase<MethodDescription> {
    @Override
    public boolean matches(MethodDescription method) {
      String descriptor = method.asDefined().getDescriptor();
      return descriptor.equals(RUN_OF_FOUR)
          || (descriptor.equals(RUN_OF_THREE)
              && method.getDeclaringType().getDeclaredMethods().stream()
                  .noneMatch(other -> other.asDefined().getDescriptor().equals(RUN_OF_FOUR)));
    }
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
    List<String> missing;
    try {
      missing = new ArrayList<>(EngineLinks.ort().and(ALSO).missingIn(loader));
    } catch (IOException e) {
      log.failure(
          "onnxruntime is not instrumented: the list of members that camhook needs is missing", e);
      return false;
    }
    missing.removeAll(OPTIONAL);
    if (!missing.isEmpty()) {
      log.warn(
          "this onnxruntime is not instrumented: camhook works with onnxruntime %s, and this one has no %s%s"
              .formatted(
                  RANGE,
                  missing.stream().limit(NAMED).collect(Collectors.joining(", ")),
                  missing.size() > NAMED ? " and %d more".formatted(missing.size() - NAMED) : ""));
    }
    return missing.isEmpty();
  }
}
