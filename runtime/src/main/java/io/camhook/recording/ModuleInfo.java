package io.camhook.recording;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One module of a model's tree.
 *
 * @param path dotted path; {@code .} for the root
 * @param type class name in the engine
 * @param parameters number of parameters below it; null if unknown
 * @param outputShape shape of its output in the first observed pass; null if unknown
 */
public record ModuleInfo(
    String path, String type, @Nullable Long parameters, @Nullable List<Long> outputShape) {
  public ModuleInfo {
    outputShape = outputShape == null ? null : List.copyOf(outputShape);
  }
}
