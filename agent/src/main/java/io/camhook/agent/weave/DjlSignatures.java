package io.camhook.agent.weave;

import io.camhook.agent.links.EngineLinks;
import io.camhook.dispatch.EventLog;
import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.WeakHashMap;
import java.util.stream.Collectors;
import net.bytebuddy.matcher.ElementMatcher;
import org.jspecify.annotations.Nullable;

/**
 * Checks whether the DJL that a class loader sees has the methods to be woven and everything that
 * the adapter links to. If anything is missing, that DJL is not woven and one line says so. Each
 * DJL is checked once, no matter how many loaders see it; a loader without DJL is not a mismatch.
 */
final class DjlSignatures extends ElementMatcher.Junction.AbstractBase<ClassLoader> {
  private static final String RANGE = "0.28 to 0.36";
  private static final String API = "ai/djl/nn/Block.class";
  private static final String PYTORCH = "ai/djl/pytorch/";
  private static final String PYTORCH_MARKER = "ai/djl/pytorch/jni/JniUtils";
  private static final String VERSION = "ai/djl/engine/api.properties";
  private static final int NAMED = 3;

  /**
   * What is woven, and what the adapter reads by reflection: the adapter's links do not include
   * them.
   */
  private static final List<String> ALSO =
      List.of(
          "ai/djl/nn/AbstractBaseBlock forward"
              + " (Lai/djl/training/ParameterStore;Lai/djl/ndarray/NDList;ZLai/djl/util/PairList;)Lai/djl/ndarray/NDList;",
          "ai/djl/nn/AbstractBaseBlock forward"
              + " (Lai/djl/training/ParameterStore;Lai/djl/ndarray/NDList;Lai/djl/ndarray/NDList;Lai/djl/util/PairList;)Lai/djl/ndarray/NDList;",
          "ai/djl/inference/Predictor batchPredict (Ljava/util/List;)Ljava/util/List;",
          "ai/djl/inference/Predictor model Lai/djl/Model;",
          "ai/djl/util/NativeResource handle Ljava/util/concurrent/atomic/AtomicReference;",
          "ai/djl/training/Trainer forward (Lai/djl/ndarray/NDList;)Lai/djl/ndarray/NDList;",
          "ai/djl/pytorch/jni/JniUtils backward"
              + " (Lai/djl/pytorch/engine/PtNDArray;Lai/djl/pytorch/engine/PtNDArray;ZZ)V",
          "ai/djl/pytorch/jni/JniUtils loadModule"
              + " (Lai/djl/pytorch/engine/PtNDManager;Ljava/nio/file/Path;Z[Ljava/lang/String;[Ljava/lang/String;Z)Lai/djl/pytorch/engine/PtSymbolBlock;",
          "ai/djl/pytorch/jni/JniUtils loadModule"
              + " (Lai/djl/pytorch/engine/PtNDManager;Ljava/io/InputStream;ZZ)Lai/djl/pytorch/engine/PtSymbolBlock;",
          "ai/djl/pytorch/jni/IValueUtils forward"
              + " (Lai/djl/pytorch/engine/PtSymbolBlock;Lai/djl/ndarray/NDList;Z)Lai/djl/ndarray/NDList;",
          "ai/djl/pytorch/engine/PtSymbolBlock loadParameters"
              + " (Lai/djl/ndarray/NDManager;Ljava/io/DataInputStream;)V");

  private final EventLog log;
  private final Map<ClassLoader, Boolean> known = new WeakHashMap<>();
  private final Map<String, Boolean> byPlace = new HashMap<>();

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
    URL api = loader.getResource(API);
    if (api == null) {
      return true;
    }
    String place = api + " " + loader.getResource(PYTORCH_MARKER + ".class");
    Boolean before = byPlace.get(place);
    if (before == null) {
      before = isComplete(loader);
      byPlace.put(place, before);
    }
    return before;
  }

  private boolean isComplete(ClassLoader loader) {
    List<String> missing;
    try {
      missing = EngineLinks.djl().and(ALSO).missingIn(loader, PYTORCH, PYTORCH_MARKER);
    } catch (IOException e) {
      log.failure("DJL is not instrumented: the list of members that camhook needs is missing", e);
      return false;
    }
    if (!missing.isEmpty()) {
      String first = missing.stream().limit(NAMED).collect(Collectors.joining(", "));
      log.warn(
          "DJL%s is not instrumented: camhook works with DJL %s, and this one has no %s%s"
              .formatted(
                  version(loader),
                  RANGE,
                  first,
                  missing.size() > NAMED ? " and %d more".formatted(missing.size() - NAMED) : ""));
    }
    return missing.isEmpty();
  }

  private static String version(ClassLoader loader) {
    try (InputStream in = loader.getResourceAsStream(VERSION)) {
      if (in != null) {
        Properties properties = new Properties();
        properties.load(in);
        return " " + properties.getProperty("djl_version", "of an unknown version");
      }
    } catch (IOException | IllegalArgumentException e) {
      // the message leaves it out
    }
    return "";
  }
}
