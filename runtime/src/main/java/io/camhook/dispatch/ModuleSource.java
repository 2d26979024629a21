package io.camhook.dispatch;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** The modules of models that no engine knows: plain Java networks. Thread-safe. */
@FunctionalInterface
public interface ModuleSource {
  /**
   * The modules of a model that match {@code layers}, a path or a glob.
   *
   * @return null if the object is not such a model
   * @throws IllegalArgumentException if {@code layers} matches none of its modules; the message
   *     lists the closest paths
   */
  @Nullable List<Object> modules(Object model, String layers);
}
