package io.camhook.djl.model;

import io.camhook.config.CamhookConfig;
import io.camhook.recording.ModuleInfo;
import io.camhook.torchscript.twin.TapPlan;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * How the archive of a TorchScript model was instrumented when it was loaded: its taps, and whether
 * they work. Thread-safe.
 */
public final class ScriptPlan {
  private final CamhookConfig.@Nullable Model entry;
  private final @Nullable TapPlan taps;
  private final List<ModuleInfo> modules;
  private final @Nullable String classifier;
  private final @Nullable String auto;
  private final ScriptModules inside;
  private final @Nullable String state;
  private final AtomicBoolean compared = new AtomicBoolean();
  private final AtomicBoolean failed = new AtomicBoolean();
  private volatile boolean oneCall;

  /**
   * @param entry the model's entry in the configuration; null if it names the archive only as a
   *     part of networks of blocks
   * @param taps null if the archive runs unchanged
   * @param modules the module tree, empty if it is not known
   * @param classifier name of the weight of the last linear layer, if there is one
   * @param auto which module {@code auto} means; null if that is not recorded
   * @param inside what hooks can look at
   * @param state how the model keeps state between calls; null if it does not
   */
  public ScriptPlan(
      CamhookConfig.@Nullable Model entry,
      @Nullable TapPlan taps,
      List<ModuleInfo> modules,
      @Nullable String classifier,
      @Nullable String auto,
      ScriptModules inside,
      @Nullable String state) {
    this.inside = inside;
    this.state = state;
    this.entry = entry;
    this.taps = taps;
    this.modules = List.copyOf(modules);
    this.classifier = classifier;
    this.auto = auto;
    this.oneCall = taps != null && taps.gradientMethod() != null;
  }

  /** The plan of an archive that runs unchanged, and the reason. */
  public static ScriptPlan untapped(CamhookConfig.@Nullable Model entry, String reason) {
    return new ScriptPlan(entry, null, List.of(), null, null, ScriptModules.none(reason), null);
  }

  public CamhookConfig.@Nullable Model entry() {
    return entry;
  }

  /** The taps that passes use; null if there are none, or if they have failed. */
  @Nullable
  public TapPlan taps() {
    return failed.get() ? null : taps;
  }

  /**
   * How the model keeps state between calls, in words; null if it does not. Such a model must not
   * run twice if the application runs it once.
   */
  public @Nullable String state() {
    return state;
  }

  /** The modules inside, for hooks. */
  public ScriptModules inside() {
    return inside;
  }

  public List<ModuleInfo> modules() {
    return modules;
  }

  @Nullable String classifier() {
    return classifier;
  }

  /** The module that {@code auto} means; null if that is not recorded. */
  @Nullable String auto() {
    return auto;
  }

  /** Whether the next pass is the one whose outputs are compared with the plain method's. */
  public boolean toBeCompared() {
    return state == null && taps() != null && compared.compareAndSet(false, true);
  }

  /** The next pass is compared again. */
  void compareAgain() {
    compared.set(false);
  }

  /** Whether a pass and its gradients are one call. */
  public boolean isOneCall() {
    return oneCall;
  }

  /** From now on they are two, because the single call has failed. */
  public void inTwoCalls() {
    oneCall = false;
  }

  /** A pass with taps failed although the plain one did not; true the first time. */
  public boolean fail() {
    return failed.compareAndSet(false, true);
  }
}
