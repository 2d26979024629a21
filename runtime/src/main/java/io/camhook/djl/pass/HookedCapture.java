package io.camhook.djl.pass;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import io.camhook.torchscript.twin.HookPlan;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A captured pass of a TorchScript model that builds a graph and has hooks inside. It cannot run
 * twice, so the captured values come from the same method that the hooks use.
 */
public final class HookedCapture {
  private static final String ROOT = ".";

  private final ModelPass pass;
  private final Function<String, @Nullable String> paths;
  private final Consumer<Throwable> failed;

  /**
   * @param paths maps a path in the archive to the layer in the capture; null if it is not captured
   * @param failed takes what went wrong; the pass is not captured then
   */
  public HookedCapture(
      ModelPass pass, Function<String, @Nullable String> paths, Consumer<Throwable> failed) {
    this.pass = pass;
    this.paths = paths;
    this.failed = failed;
  }

  /** Adds the values to capture to those that hooks want from a pass. */
  public void want(HookPlan plan, long[] wanted, boolean graph) {
    long value = graph && pass.wantsGradients() ? HookPlan.GRADIENT : HookPlan.VALUE;
    for (int site = 0; site < plan.sites().size(); site++) {
      if (paths.apply(plan.sites().get(site).path()) != null) {
        wanted[2 * site] = Math.max(wanted[2 * site], value);
      }
    }
  }

  /** The pass has ended; no hook has seen anything yet. */
  public void record(HookPlan plan, List<HookPlan.Record> records, NDArray[] taps, NDList outputs) {
    try {
      for (HookPlan.Record record : records) {
        HookPlan.Site site = plan.sites().get(record.site());
        String path = paths.apply(site.path());
        if (record.argument() < 0 && path != null) {
          List<String> keys = record.elements().stream().map(HookPlan.Element::key).toList();
          pass.looked(
              path,
              site.firstCall(),
              keys,
              record.elements().stream().map(e -> taps[e.tap()]).toList());
        }
      }
      if (paths.apply(ROOT) != null) {
        pass.looked(ROOT, 0, keys(outputs), outputs);
      }
    } catch (Throwable e) {
      failed.accept(e);
    }
  }

  private static List<String> keys(NDList outputs) {
    List<String> keys = new ArrayList<>();
    for (NDArray output : outputs) {
      String name = output.getName();
      keys.add(name != null ? name : outputs.size() == 1 ? "" : Integer.toString(keys.size()));
    }
    return keys;
  }
}
