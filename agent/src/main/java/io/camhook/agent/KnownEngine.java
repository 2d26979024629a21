package io.camhook.agent;

import io.camhook.agent.weave.DjlWeaver;
import io.camhook.agent.weave.OrtWeaver;
import io.camhook.agent.weave.Weaving;
import io.camhook.engine.EngineAdapter;
import java.io.IOException;
import java.util.List;
import java.util.function.Supplier;

/**
 * The registration of an engine.
 *
 * @param name used in messages
 * @param classes prefix of the names of its woven classes; empty if users write the woven classes
 * @param marker a class that exists wherever the engine does
 * @param maker makes the adapter
 * @param weaving makes the weaving recipe
 */
record KnownEngine(
    String name, String classes, String marker, Maker maker, Supplier<Weaving> weaving) {
  /** Class of DJL's adapter. */
  static final String DJL_ADAPTER = "io.camhook.djl.DjlAdapter";

  static final KnownEngine DJL =
      new KnownEngine(
          "DJL",
          "",
          "ai.djl.nn.Block",
          AdapterLoader.nested("djl.jar", DJL_ADAPTER),
          DjlWeaver::new);
  private static final KnownEngine ORT =
      new KnownEngine(
          "onnxruntime",
          "ai.onnxruntime.",
          "ai.onnxruntime.OrtEnvironment",
          AdapterLoader.nested("ort.jar", "io.camhook.ort.OrtAdapter"),
          OrtWeaver::new);

  /** All of them. */
  static final List<KnownEngine> ALL = List.of(ORT, DJL);

  /**
   * Creates, but does not start, the adapter for the engine that one of the application's class
   * loaders sees.
   */
  interface Maker {
    /**
     * @throws ReflectiveOperationException if this engine is not of the kind that the adapter was
     *     written for
     */
    EngineAdapter make(ClassLoader application) throws IOException, ReflectiveOperationException;
  }

  /** Markers of the engines that a woven class may belong to. */
  static List<String> markers(String className, List<KnownEngine> engines) {
    return engines.stream()
        .filter(engine -> className.startsWith(engine.classes()))
        .map(KnownEngine::marker)
        .toList();
  }
}
