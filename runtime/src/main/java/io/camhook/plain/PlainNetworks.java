package io.camhook.plain;

import io.camhook.builtin.LayerWatch;
import io.camhook.builtin.Steps;
import io.camhook.builtin.Watches;
import io.camhook.capture.Admission;
import io.camhook.capture.ClassScores;
import io.camhook.capture.Recorder;
import io.camhook.capture.Sampler;
import io.camhook.config.CamhookConfig;
import io.camhook.config.Condition;
import io.camhook.dispatch.EventLog;
import io.camhook.dispatch.Failures;
import io.camhook.recording.ModelInfo;
import io.camhook.recording.Prediction;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** The plain networks of a configuration, and the threads that run them. Thread-safe. */
public final class PlainNetworks {
  private final @Nullable HookedNetwork[] networks;
  private final Recorder recorder;
  private final Sampler sampler;
  private final @Nullable Condition when;
  private final boolean dryRun;
  private final EventLog log;
  private final Set<HookedNetwork> described = ConcurrentHashMap.newKeySet();
  private final Set<HookedNetwork> surveyed = ConcurrentHashMap.newKeySet();
  private final Failures failures;
  private final ThreadLocal<ThreadCalls> threads;

  /**
   * @param config entries without {@code class} are skipped
   */
  public PlainNetworks(CamhookConfig config, Recorder recorder, Watches watches, EventLog log) {
    this(config, recorder, watches, log, new Failures(log));
  }

  /** Like the other constructor, with camhook's own failures counted in {@code failures}. */
  public PlainNetworks(
      CamhookConfig config, Recorder recorder, Watches watches, EventLog log, Failures failures) {
    this.failures = failures;
    List<CamhookConfig.Model> models = config.models();
    this.networks = new HookedNetwork[models.size()];
    for (int i = 0; i < networks.length; i++) {
      CamhookConfig.Model model = models.get(i);
      networks[i] = model.plain() == null ? null : new HookedNetwork(model, model.plain(), log);
    }
    this.recorder = recorder;
    this.sampler = new Sampler(config.sampling());
    this.when = config.sampling().when();
    this.dryRun = config.dryRun();
    this.log = log;
    for (int i = 0; i < networks.length; i++) {
      HookedNetwork network = networks[i];
      if (network != null) {
        attachConfigured(models.get(i), network, watches);
      }
    }
    this.threads = ThreadLocal.withInitial(() -> new ThreadCalls(this));
  }

  private void attachConfigured(CamhookConfig.Model model, HookedNetwork network, Watches watches) {
    Steps steps = new Steps(model.name());
    if (!model.hooks().isEmpty() && !dryRun) {
      network.attach(List.of("."), ConfiguredHook.counter(steps));
    }
    for (CamhookConfig.Hook hook : model.hooks()) {
      if (dryRun) {
        log.info(
            "dry run: model %s: hook %s would be attached to %s"
                .formatted(model.name(), hook.hook(), hook.layers()));
        continue;
      }
      LayerWatch watch = watches.of(hook);
      network.attach(
          hook.layers(),
          watch == null
              ? new NamedHook(model.name(), hook, log)
              : new ConfiguredHook(watch, steps, failures));
    }
  }

  /** Attaches a hook to layers of the configuration's entry number {@code entry}. */
  public void attach(int entry, List<String> layers, PlainHook hook) {
    HookedNetwork network = networks[entry];
    if (network == null) {
      throw new IllegalArgumentException("entry " + entry + " is no plain network");
    }
    network.attach(layers, hook);
  }

  /**
   * The modules of the network that {@code model} is the root of, as {@link
   * io.camhook.dispatch.ModuleSource} says.
   */
  @Nullable List<Object> modules(Object model, String layers) {
    for (HookedNetwork network : networks) {
      if (network != null && network.isRoot(model)) {
        return network.modules(model, layers);
      }
    }
    return null;
  }

  @Nullable PlainCall enter(Object module, int entry, Role role, String method) {
    HookedNetwork network = networks[entry];
    return network == null ? null : threads.get().enter(network, module, role, method);
  }

  /** A call on this thread failed: what was in progress there is lost. */
  void forgetThread() {
    threads.get().forget();
    threads.remove();
  }

  /** The pass that begins now, if it is captured; in a dry run the first of each network is. */
  @Nullable PlainPass pass(HookedNetwork network) {
    if (!network.capturesAnything()) {
      return null;
    }
    if (dryRun) {
      return surveyed.add(network) ? new PlainPass(network, null) : null;
    }
    Admission admission = sampler.drawn() && sampler.admitted() ? recorder.admit() : null;
    if (admission == null) {
      return null;
    }
    try {
      return new PlainPass(network, admission);
    } catch (Throwable e) {
      admission.close();
      throw e;
    }
  }

  /** Whether to capture a pass with these scores, which are null for models without scores. */
  boolean isWanted(HookedNetwork network, @Nullable ClassScores scores) {
    return when == null
        || (scores != null
            && Prediction.anyMeets(scores.predictions(network.labels()), when::holds));
  }

  /** Notes the modules of a network the first time that a pass of it has been captured. */
  void model(HookedNetwork network, ModelInfo model) {
    if (described.add(network)) {
      recorder.model(model);
      network.unmatched(model).forEach(log::warn);
    }
  }

  Recorder recorder() {
    return recorder;
  }

  EventLog log() {
    return log;
  }

  /**
   * Saves the state below {@code roots}, using room in the queue.
   *
   * @throws NoRoomException if there is none
   */
  SavedState note(Collection<?> roots, Predicate<Object> own) {
    StateSnapshot snapshot = StateSnapshot.of(roots, own);
    Admission room = recorder.reserve(snapshot.bytes());
    if (room == null) {
      throw new NoRoomException(snapshot.bytes());
    }
    try {
      snapshot.take();
      return new SavedState(snapshot, room);
    } catch (Throwable e) {
      room.close();
      throw e;
    }
  }

  /** Counts a capture that was lost during the pass as failed. */
  void lost(HookedNetwork network, Throwable cause) {
    if (cause instanceof NoRoomException) {
      return; // counted, as dropped
    }
    if (cause instanceof IllegalArgumentException) {
      failures.mistake(
          "model %s is not captured: %s".formatted(network.name(), cause.getMessage()));
    } else {
      failed("a pass of " + network.name() + " could not be captured", cause);
    }
    recorder.lost(cause);
  }

  /** Notes that something of camhook's own went wrong. */
  void failed(String what, Throwable cause) {
    failures.add(what, cause);
  }

  /** Failures of camhook itself so far. */
  public long failures() {
    return failures.count();
  }
}
