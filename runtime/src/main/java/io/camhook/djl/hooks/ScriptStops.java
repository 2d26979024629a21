package io.camhook.djl.hooks;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.pytorch.engine.PtNDArray;
import io.camhook.djl.autograd.Tensors;
import io.camhook.djl.backward.GradPoints;
import io.camhook.djl.model.ScriptModules;
import io.camhook.djl.pass.StoppingRun;
import io.camhook.torchscript.twin.HookPlan;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The hooks of one pass that stops for them. Confined to its thread. */
final class ScriptStops implements StoppingRun.Stops {
  private final ScriptModules modules;
  private final @Nullable GradPoints points;
  private final Map<Integer, ScriptHookCall> begun = new HashMap<>();
  private boolean acted;

  /**
   * @param points where backward hooks wait; null if the pass makes no graph
   */
  ScriptStops(ScriptModules modules, @Nullable GradPoints points) {
    this.modules = modules;
    this.points = points;
  }

  /** Whether any hook has run, so that the pass cannot be run again. */
  boolean haveActed() {
    return acted;
  }

  @Override
  public @Nullable List<? extends NDArray> stop(long stop, PtNDArray[] values, List<String> keys) {
    acted = true;
    int number = HookPlan.site(stop);
    HookPlan.Site site = modules.plan().sites().get(number);
    ScriptHookCall call =
        begun.computeIfAbsent(number, n -> new ScriptHookCall(modules.at(n), points, true));
    NDList tensors = new NDList();
    for (int i = 0; i < values.length; i++) {
      String key = keys.get(i);
      int dot = key.indexOf('.');
      values[i].setName(dot < 0 ? null : key.substring(dot + 1));
      if (points != null) {
        Tensors.loose(values[i]);
      }
      tensors.add(values[i]);
      if (!HookPlan.isResult(stop)) {
        int place = Integer.parseInt(dot < 0 ? key : key.substring(0, dot));
        int position = site.arguments().get(0).position() + place;
        call.argument(new NDList(values[i]), site.hasGradient(position));
      }
    }
    if (!HookPlan.isResult(stop)) {
      return call.begins();
    }
    begun.remove(number);
    return call.returned(tensors);
  }
}
