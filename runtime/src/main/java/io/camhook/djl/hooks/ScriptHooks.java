package io.camhook.djl.hooks;

import ai.djl.engine.EngineException;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.NDScope;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.engine.PtSymbolBlock;
import ai.djl.pytorch.jni.IValue;
import ai.djl.pytorch.jni.IValueUtils;
import ai.djl.pytorch.jni.JniUtils;
import io.camhook.dispatch.Failures;
import io.camhook.dispatch.UserFailure;
import io.camhook.djl.autograd.AutogradGateway;
import io.camhook.djl.autograd.ModuleCalls;
import io.camhook.djl.autograd.Tensors;
import io.camhook.djl.backward.GradPoints;
import io.camhook.djl.model.ScriptModules;
import io.camhook.djl.pass.HookedCapture;
import io.camhook.djl.pass.StoppingRun;
import io.camhook.torchscript.twin.HookPlan;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/*
 * A pass of a TorchScript model with hooks inside runs a twin of its method that passes out what the hooks
 * see, with the engine's own operators on the engine's own values. When the native call is over, the hooks
 * run, in the order in which the modules were called and returned.
 *
 * Without a graph the values are closed when the hooks have run, because nobody else would: a pass has as many
 * as the model has layers. With one they belong to the manager of the inputs, because the graph holds them
 * anyway. Gradients are those of the engine's own graph, in which the twin has made a node for each call with
 * a backward hook.
 *
 * If the twin fails, the model's own method runs. If that fails too, the failure is the application's.
 */
/** Runs TorchScript models that have hooks inside. Thread-safe. */
public final class ScriptHooks {
  private final GradPoints points;
  private final Failures failures;
  private final ThreadLocal<Boolean> plain = new ThreadLocal<>();

  public ScriptHooks(GradPoints points, Failures failures) {
    this.points = points;
    this.failures = failures;
  }

  /**
   * Runs the model and the hooks inside it.
   *
   * @param training whether the caller wants a graph
   * @param capture the capture of this pass, if there is one
   * @return the model's result; null if there are no hooks inside and the engine should run it
   */
  @Nullable
  public NDList run(
      ScriptModules modules,
      PtSymbolBlock block,
      NDList inputs,
      boolean training,
      @Nullable HookedCapture capture) {
    boolean looking = capture != null || modules.isHooked();
    if (plain.get() != null || !looking || ModuleCalls.namesMethod(inputs)) {
      return null;
    }
    boolean graph = training && JniUtils.isGradMode();
    HookPlan plan = modules.plan();
    long[] wanted = modules.wanted(graph);
    if (modules.isReplacing() && plan.stoppingMethod() != null) {
      return runStopping(modules, block, inputs, wanted, graph, training);
    }
    if (capture != null) {
      capture.want(plan, wanted, graph);
    }
    IValue result;
    try {
      String method = training ? plan.graphMethod() : plan.inferenceMethod();
      result = ModuleCalls.run(block, method, wanted, inputs, training);
    } catch (RuntimeException e) {
      return runPlain(modules, block, inputs, training, e);
    }
    PtNDManager manager = (PtNDManager) inputs.head().getManager();
    if (graph) {
      return finish(modules, result, manager, manager, points, capture);
    }
    try (NDManager scratch = manager.newSubManager()) {
      return finish(modules, result, manager, (PtNDManager) scratch, null, capture);
    }
  }

  /** Runs hooks that replace values while the model waits. */
  private NDList runStopping(
      ScriptModules modules,
      PtSymbolBlock block,
      NDList inputs,
      long[] wanted,
      boolean graph,
      boolean training) {
    PtNDManager manager = (PtNDManager) inputs.head().getManager();
    NDManager scratch = graph ? null : manager.newSubManager();
    ScriptStops stops = new ScriptStops(modules, graph ? points : null);
    try {
      StoppingRun run =
          new StoppingRun(
              scratch == null ? manager : (PtNDManager) scratch,
              AutogradGateway.instance()::append);
      try (IValue result = run.run(block, modules.plan(), wanted, inputs, graph, stops)) {
        return result.toNDList(manager);
      }
    } catch (EngineException | IllegalStateException e) {
      if (stops.haveActed()) {
        UserFailure.mark(e); // also the engine's, caused by what hooks put into the model
        throw e;
      }
      return runPlain(modules, block, inputs, training, e);
    } finally {
      if (scratch != null) {
        scratch.close();
      }
    }
  }

  private NDList runPlain(
      ScriptModules modules,
      PtSymbolBlock block,
      NDList inputs,
      boolean training,
      RuntimeException cause) {
    plain.set(Boolean.TRUE);
    try {
      NDList outputs = runOfApplication(block, inputs, training);
      String hooked = modules.hooked();
      modules.close(
          "a pass failed with hooks inside it but not without them; an earlier message says why");
      failures.report(
          hooked
              + " fails, and does not without; its passes run as they are, and hooks inside it are"
              + " no longer called",
          cause);
      return outputs;
    } finally {
      plain.remove();
    }
  }

  /** Exceptions here would have reached the application without camhook as well. */
  private static NDList runOfApplication(PtSymbolBlock block, NDList inputs, boolean training) {
    try {
      return IValueUtils.forward(block, inputs, training);
    } catch (Throwable e) {
      UserFailure.mark(e);
      throw e;
    }
  }

  private static NDList finish(
      ScriptModules modules,
      IValue result,
      PtNDManager manager,
      PtNDManager owner,
      @Nullable GradPoints points,
      @Nullable HookedCapture capture) {
    NDList outputs;
    PtNDArray[] taps;
    String labels;
    try (result) {
      IValue[] parts = result.toIValueTuple();
      try {
        outputs = parts[0].toNDList(manager);
        taps = parts[1].toTensorArray(owner);
        labels = parts[2].toStringValue();
      } finally {
        for (IValue part : parts) {
          part.close();
        }
      }
    }
    for (PtNDArray tap : taps) {
      NDScope.unregister(tap);
      if (points != null) {
        Tensors.loose(tap);
      }
    }
    List<HookPlan.Record> records = modules.plan().records(labels);
    if (capture != null) {
      capture.record(modules.plan(), records, taps, outputs);
    }
    runHooks(modules, taps, records, points);
    return outputs;
  }

  private static void runHooks(
      ScriptModules modules,
      PtNDArray[] taps,
      List<HookPlan.Record> records,
      @Nullable GradPoints points) {
    Map<Integer, ScriptHookCall> begun = new HashMap<>();
    List<HookPlan.Site> sites = modules.plan().sites();
    for (HookPlan.Record record : records) {
      int number = record.site();
      HookPlan.Site site = sites.get(number);
      ScriptHookCall call =
          begun.computeIfAbsent(number, n -> new ScriptHookCall(modules.at(n), points, false));
      NDList tensors = tensors(record, taps);
      if (record.argument() < 0) {
        begun.remove(number);
        call.returned(tensors);
        continue;
      }
      call.argument(tensors, site.hasGradient(record.argument()));
      if (site.isLast(record.argument())) {
        call.begins();
      }
    }
  }

  private static NDList tensors(HookPlan.Record record, PtNDArray[] taps) {
    NDList tensors = new NDList();
    for (HookPlan.Element element : record.elements()) {
      NDArray tensor = taps[element.tap()];
      tensor.setName(element.key().isEmpty() ? null : element.key());
      tensors.add(tensor);
    }
    return tensors;
  }
}
