package io.camhook.agent;

import io.camhook.agent.weave.PlainWeaver;
import io.camhook.agent.weave.Weaver;
import io.camhook.agent.weave.Weaving;
import io.camhook.builtin.Watches;
import io.camhook.capture.Recorder;
import io.camhook.config.CamhookConfig;
import io.camhook.dispatch.Dispatch;
import io.camhook.dispatch.EngineCalls;
import io.camhook.dispatch.EventLog;
import io.camhook.dispatch.Failures;
import io.camhook.engine.AdapterContext;
import io.camhook.engine.EngineAdapter;
import io.camhook.plain.PlainDispatch;
import io.camhook.plain.PlainNetworks;
import io.camhook.telemetry.Telemetry;
import java.lang.instrument.Instrumentation;
import java.lang.ref.WeakReference;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/** The agent at work in this JVM, from its start to the end of the JVM or to a detach. */
final class RunningAgent {
  private static final Duration IDLE = Duration.ofSeconds(5);

  private final CamhookConfig config;
  private final @Nullable String file;
  private final Recorder recorder;
  private final Watches watches;
  private final EventLog log;
  private final Failures failures;
  private final EntryReport report;
  private final List<KnownEngine> engines;
  private final Instrumentation instrumentation;
  private final Weaver weaver;
  private final Instant since = Instant.now().truncatedTo(ChronoUnit.SECONDS);
  private final Thread atExit = new Thread(this::finish, "camhook-shutdown");
  // Held weakly: an adapter goes with the class loader of its engine.
  private final List<WeakReference<EngineAdapter>> adapters = new CopyOnWriteArrayList<>();
  private volatile boolean stopped;

  private RunningAgent(
      CamhookConfig config,
      @Nullable String file,
      Recorder recorder,
      Weaver.Listener listener,
      EventLog log,
      Instrumentation instrumentation,
      List<KnownEngine> engines) {
    this.engines = engines;
    this.config = config;
    this.file = file;
    this.recorder = recorder;
    this.watches = Watches.of(config, log);
    this.log = log;
    this.failures = new Failures(log);
    this.report = new EntryReport(config, recorder, failures);
    this.instrumentation = instrumentation;
    List<Weaving> weavings = new ArrayList<>();
    engines.forEach(engine -> weavings.add(engine.weaving().get()));
    PlainWeaver plain = new PlainWeaver(config);
    if (!plain.isEmpty()) {
      weavings.add(plain);
    }
    this.weaver = new Weaver(weavings, listener, log);
  }

  /**
   * Weaves.
   *
   * @param file name of the configuration's file; null if there is none
   * @param listener learns which classes are woven
   */
  static RunningAgent start(
      CamhookConfig config,
      @Nullable String file,
      Recorder recorder,
      Weaver.Listener listener,
      EventLog log,
      Instrumentation instrumentation) {
    return start(config, file, recorder, listener, log, instrumentation, KnownEngine.ALL);
  }

  /**
   * The same with other engines.
   *
   * @param engines that are woven
   */
  static RunningAgent start(
      CamhookConfig config,
      @Nullable String file,
      Recorder recorder,
      Weaver.Listener listener,
      EventLog log,
      Instrumentation instrumentation,
      List<KnownEngine> engines) {
    RunningAgent agent =
        new RunningAgent(config, file, recorder, listener, log, instrumentation, engines);
    agent.start();
    return agent;
  }

  private void start() {
    Runtime.getRuntime().addShutdownHook(atExit);
    Telemetry.attach(recorder, watches.health(), config.logEvery(), log);
    Dispatch.install(name -> KnownEngine.markers(name, engines), this::adapter, failures);
    if (config.models().stream().anyMatch(model -> model.plain() != null)) {
      PlainDispatch.install(new PlainNetworks(config, recorder, watches, log, failures));
    }
    weaver.install(instrumentation);
  }

  /** What it waits for, in one line. */
  String waitsFor() {
    return "version %s %s".formatted(Version.NUMBER, report.waitsFor());
  }

  /** The adapter of the engine with this marker; null if it is not available. */
  private @Nullable EngineCalls adapter(Class<?> marker) {
    KnownEngine engine =
        engines.stream()
            .filter(known -> known.marker().equals(marker.getName()))
            .findFirst()
            .orElseThrow();
    try {
      EngineAdapter adapter = engine.maker().make(marker.getClassLoader());
      adapter.start(new AdapterContext(config, recorder, watches, log, true, failures));
      adapters.removeIf(known -> known.get() == null);
      adapters.add(new WeakReference<>(adapter));
      if (stopped) {
        adapter.close();
      }
      return adapter;
    } catch (Throwable e) {
      failures.add(
          "%s is not instrumented, its adapter could not start".formatted(engine.name()), e);
      return null;
    }
  }

  /** Name of the configuration's file; null if there is none. */
  @Nullable String file() {
    return file;
  }

  Instant since() {
    return since;
  }

  /**
   * Ends all work: classes get their original bytecode back, hooks of the configuration are
   * removed, waiting captures are written and every camhook thread ends. Passes in progress end as
   * if nothing had happened.
   */
  void stop() {
    stopped = true;
    PlainDispatch.install(null);
    Dispatch.install(null);
    weaver.remove(instrumentation);
    boolean idle = awaitIdle();
    finish();
    if (idle) {
      adapters().forEach(EngineAdapter::release);
    }
    adapters.clear();
    try {
      Runtime.getRuntime().removeShutdownHook(atExit);
    } catch (IllegalStateException e) {
      // the JVM is ending and runs the hook
    }
  }

  /** The adapters whose engines still exist. */
  private List<EngineAdapter> adapters() {
    List<EngineAdapter> alive = new ArrayList<>();
    for (WeakReference<EngineAdapter> reference : adapters) {
      EngineAdapter adapter = reference.get();
      if (adapter != null) {
        alive.add(adapter);
      }
    }
    return alive;
  }

  /** Passes that began before may still use what an adapter holds. */
  private boolean awaitIdle() {
    try {
      boolean idle = Dispatch.awaitIdle(IDLE);
      if (!idle) {
        log.warn(
            "passes have been under way for %d s; they end as they began"
                .formatted(IDLE.toSeconds()));
      }
      return idle;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  private void finish() {
    adapters()
        .forEach(EngineAdapter::close); // some have work in progress that is still to be recorded
    watches.close();
    recorder.close();
    report.cameToNothing().forEach(log::info);
    if (failures.count() > 0) {
      log.info("%d failures inside camhook: %s".formatted(failures.count(), failures.causes()));
    }
  }

  /** What it is doing and has done, one line each. */
  List<String> status() {
    List<String> lines = new ArrayList<>();
    lines.add(
        "camhook %s, at work since %s, %s"
            .formatted(
                Version.NUMBER, since, file == null ? "without a configuration" : "with " + file));
    lines.add("classes: %d woven, %d could not be".formatted(weaver.woven(), weaver.failed()));
    lines.add("captures: " + recorder.statusLine());
    String reason = recorder.status().reason();
    if (reason != null) {
      lines.add("nothing is captured now: " + reason);
    }
    lines.add("failures inside camhook: " + failures.count());
    lines.addAll(report.cameToNothing());
    failures.causes().forEach((cause, times) -> lines.add("  %d × %s".formatted(times, cause)));
    return lines;
  }
}
