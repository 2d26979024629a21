package io.camhook.recording;

import java.util.List;

/**
 * A model that captures come from.
 *
 * @param name its label in {@code camhook.yaml}
 * @param modules the module tree, parents before children
 */
public record ModelInfo(String name, List<ModuleInfo> modules) {
  public ModelInfo {
    modules = List.copyOf(modules);
  }
}
