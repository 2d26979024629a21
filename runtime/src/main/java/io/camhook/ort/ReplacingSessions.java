package io.camhook.ort;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxTensorLike;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/*
 * onnxruntime runs a graph in one call without interruption. So the graph is cut at each layer whose hooks
 * replace: one session computes up to the first of them, the next one begins there and ends at the second, and
 * the last one computes the model's outputs. Each value at a cut is an input of the later sessions. A later
 * session computes again what it needs and what does not depend on that value.
 */
/** Runs a model again with the values that hooks return in place of its own. Thread-safe. */
final class ReplacingSessions implements AutoCloseable {
  /** A layer, and the session that ends there. */
  record Stage(SideModel.Tap tap, SideSession upTo) {}

  private final List<Stage> stages;
  private final SideSession rest;

  /**
   * @param stages in the order in which the layers are computed
   * @param rest from the layers to the model's outputs
   */
  ReplacingSessions(List<Stage> stages, SideSession rest) {
    this.stages = List.copyOf(stages);
    this.rest = rest;
  }

  /**
   * A pass.
   *
   * @param result outputs computed from the replaced values; null if every hook kept its value
   * @param edges the layers' values after the hooks, replaced or not, by name
   */
  record Pass(
      OrtSession.@Nullable Result result, Map<String, OnnxTensor> edges, List<AutoCloseable> owned)
      implements AutoCloseable {
    /** Closes the edges; the result belongs to the caller. */
    @Override
    public void close() {
      for (AutoCloseable one : owned) {
        try {
          one.close();
        } catch (Exception e) {
          // there is nothing left to free
        }
      }
    }
  }

  /**
   * Runs the model with the hooks.
   *
   * @param session the application's, for hooks
   * @param outputs names of the outputs that the application requested, in its order
   * @return null if the sessions are closed
   * @throws HookException if a hook throws
   */
  @Nullable Pass run(
      Object session,
      LayerHooks hooks,
      Map<String, ? extends OnnxTensorLike> inputs,
      Set<String> outputs)
      throws OrtException {
    Map<String, OnnxTensor> edges = new LinkedHashMap<>();
    List<AutoCloseable> owned = new ArrayList<>();
    Pass pass = null;
    try {
      Map<String, OnnxTensorLike> all = new HashMap<>(inputs);
      boolean replaced = false;
      for (Stage stage : stages) {
        String name = stage.tap().activation();
        OrtSession.Result result = stage.upTo().run(all, null, Set.of(name));
        if (result == null) {
          return null;
        }
        owned.add(result);
        OnnxTensor value = tensor(result, name);
        OnnxTensor replacement = hooks.replacement(session, stage.tap(), value);
        if (replacement != null) {
          owned.add(replacement); // it was made for this
          replaced = true;
        }
        OnnxTensor goesOn = replacement == null ? value : replacement;
        edges.put(name, goesOn);
        all.put(name, goesOn);
      }
      OrtSession.Result result = replaced ? rest.run(all, null, outputs) : null;
      if (replaced && result == null) {
        return null;
      }
      pass = new Pass(result, edges, owned);
      return pass;
    } finally {
      if (pass == null) {
        new Pass(null, edges, owned).close();
      }
    }
  }

  private static OnnxTensor tensor(OrtSession.Result result, String name) {
    OnnxValue value = result.get(name).orElseThrow();
    if (value instanceof OnnxTensor tensor) {
      return tensor;
    }
    throw new IllegalStateException(name + " is no tensor but " + value.getType());
  }

  @Override
  public void close() {
    stages.forEach(stage -> stage.upTo().close());
    rest.close();
  }
}
