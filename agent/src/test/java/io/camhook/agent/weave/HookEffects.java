package io.camhook.agent.weave;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import io.camhook.HookHandle;
import java.util.HashSet;
import java.util.Set;

/**
 * What the hooks of some scenarios do besides returning a value; the trace describes it in words.
 */
final class HookEffects {
  private HookEffects() {}

  static void prepare(String name, HookScenario s) {
    switch (name) {
      case "snapshot_hook_removed_during_forward" -> {
        removes(s, "p1", "p2");
        removes(s, "f1", "f2");
      }
      case "snapshot_hook_added_during_forward" -> {
        registersOnce(s, "p1", "p2");
        registersOnce(s, "f1", "f2");
      }
      case "snapshot_is_taken_per_kind" -> registersOnce(s, "p", "f", "bp", "b");
      case "snapshot_hook_registered_by_forward_itself" -> {
        s.net.inForward.put("net.bare", () -> s.register("f_bare"));
        s.net.inForward.put("net.busy", () -> s.register("f_busy"));
      }
      case "snapshot_hook_removed_during_backward" -> removes(s, "bp1", "bp2", "b2");
      case "handle_hook_removes_itself" -> removes(s, "f_once", "f_once");
      case "tensor_hook_list_is_snapshot" ->
          s.effects.put(
              "h1",
              () -> {
                s.handles.get("h2").forEach(HookHandle::remove);
                s.seen.put("h3", s.names.get("y"));
                if (!s.handles.containsKey("h3")) {
                  s.register("h3");
                }
              });
      case "tensor_hook_registered_in_forward_hook" ->
          s.effects.put(
              "f",
              () -> {
                s.seen.put("h", s.seen.get("output of f"));
                s.register("h");
              });
      case "tensor_hook_among_module_hooks" -> {
        s.effects.put(
            "p",
            () -> {
              s.seen.put("h_pre_arg", ((NDList) s.seen.get("args of p")).head());
              s.register("h_pre_arg");
            });
        s.effects.put(
            "f",
            () -> {
              s.seen.put("h_fwd_arg", ((NDList) s.seen.get("args of f")).head());
              s.register("h_fwd_arg");
              s.seen.put("h_fwd_out", s.seen.get("output of f"));
              s.register("h_fwd_out");
            });
      }
      case "inplace_reference_and_clone" ->
          s.effects.put(
              "f", () -> s.seen.put("clone", ((NDArray) s.seen.get("output of f")).duplicate()));
      case "inplace_tensor_hooks" -> {
        s.effects.put(
            "f",
            () -> {
              s.seen.put("h_before", s.seen.get("output of f"));
              s.seen.put("h_after", s.seen.get("output of f"));
              s.register("h_before");
            });
      }
      case "tensor_hook_registered_after_forward" ->
          s.statements.put(
              s.trace.get("steps").get(2).asText().substring("3: ".length()),
              () -> {
                s.register("h_y");
                s.register("h_x");
                HookScenario.backward((NDArray) s.names.get("loss"), false);
              });
      case "handle_context_manager" -> contextManager(s);
      default -> {}
    }
  }

  /** Python's with is Java's try-with-resources. */
  private static void contextManager(HookScenario s) {
    String[] steps = new String[4];
    for (int i = 0; i < steps.length; i++) {
      steps[i] = s.trace.get("steps").get(i).asText().substring("1: ".length());
    }
    s.statements.put(
        steps[0],
        () -> {
          try (HookHandle handle = s.handles.get("f1").get(0)) {
            s.names.put("y", s.evaluate("net(x)"));
          }
        });
    s.statements.put(steps[1], () -> s.names.put("y", s.evaluate("net(x)")));
    s.statements.put(
        steps[2],
        () -> {
          s.register("f2");
          try (HookHandle handle = s.handles.get("f2").get(0)) {
            s.names.put("y", s.evaluate("net(x)"));
            throw new ScenarioNet.Thrown("ValueError", "left the block");
          }
        });
    s.statements.put(steps[3], () -> s.names.put("y", s.evaluate("net(x)")));
  }

  private static void removes(HookScenario s, String id, String... others) {
    s.effects.put(
        id,
        () -> {
          for (String other : others) {
            s.handles.get(other).forEach(HookHandle::remove);
          }
        });
  }

  private static void registersOnce(HookScenario s, String id, String... others) {
    Set<String> done = new HashSet<>();
    s.effects.put(
        id,
        () -> {
          if (done.add(id)) {
            for (String other : others) {
              s.register(other);
            }
          }
        });
  }
}
