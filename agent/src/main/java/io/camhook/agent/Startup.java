package io.camhook.agent;

import io.camhook.agent.weave.DjlWeaver;
import io.camhook.agent.weave.PlainWeaver;
import io.camhook.agent.weave.Weaver;
import io.camhook.agent.weave.Weaving;
import io.camhook.agent.yaml.ConfigReader;
import io.camhook.agent.yaml.InvalidConfigException;
import io.camhook.agent.yaml.Problem;
import io.camhook.builtin.Watches;
import io.camhook.capture.Recorder;
import io.camhook.config.CamhookConfig;
import io.camhook.dispatch.Dispatch;
import io.camhook.dispatch.EngineCalls;
import io.camhook.dispatch.EventLog;
import io.camhook.plain.PlainDispatch;
import io.camhook.plain.PlainNetworks;
import io.camhook.recording.Run;
import io.camhook.spi.AdapterContext;
import io.camhook.spi.EngineAdapter;
import java.lang.instrument.Instrumentation;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What happens before the application's main. Whatever goes wrong here, the application starts;
 * only {@code onError=exit} ends the JVM, with status 2.
 */
final class Startup {
  private static final int STATUS_BAD_CONFIG = 2;

  private Startup() {}

  static void run(@Nullable String text, Instrumentation instrumentation) {
    EventLog log = new StderrLog(System.err);
    if (Dispatch.installed()) {
      log.warn("the agent is here already; the second one does nothing");
      return;
    }
    AgentOptions options;
    try {
      options = AgentOptions.parse(text, System::getProperty, System::getenv);
    } catch (IllegalArgumentException e) {
      log.warn(e.getMessage() + "; the application runs without camhook");
      return;
    }
    try {
      String file = options.text("config");
      Path yaml = file == null ? null : Path.of(file);
      CamhookConfig config = read(yaml, options);
      Weaver.Listener listener =
          config.dryRun()
              ? (type, loader) -> log.info("dry run: would weave " + type)
              : (type, loader) -> {};
      start(config, Output.recorder(config, yaml, log), listener, log, instrumentation);
    } catch (InvalidConfigException e) {
      refuse(e, options, log);
    } catch (Throwable e) {
      log.failure("could not start; the application runs without camhook", e);
    }
  }

  /** Weaves; {@code listener} sees what. */
  static void start(
      CamhookConfig config,
      Recorder recorder,
      Weaver.Listener listener,
      EventLog log,
      Instrumentation instrumentation) {
    Watches watches = Watches.of(config, log);
    Runtime.getRuntime().addShutdownHook(new Thread(watches::close, "camhook-stats"));
    AdapterContext context = new AdapterContext(config, recorder, watches, log, true);
    Dispatch.install(loader -> adapter(loader, context));
    List<Weaving> weavings = new ArrayList<>();
    weavings.add(new DjlWeaver());
    PlainWeaver plain = new PlainWeaver(config);
    if (!plain.isEmpty()) {
      PlainDispatch.install(new PlainNetworks(config, recorder, watches, log));
      weavings.add(plain);
    }
    new Weaver(weavings, listener, log).install(instrumentation);
  }

  /** The adapter of the engine that {@code loader} holds; null if it cannot be had. */
  private static @Nullable EngineCalls adapter(ClassLoader loader, AdapterContext context) {
    try {
      EngineAdapter adapter = AdapterLoader.djl(loader);
      adapter.start(context);
      return adapter;
    } catch (Throwable e) {
      context.log().failure("DJL is not instrumented, its adapter could not start", e);
      return null;
    }
  }

  private static CamhookConfig read(@Nullable Path yaml, AgentOptions options)
      throws InvalidConfigException {
    ConfigReader reader =
        new ConfigReader(
            options, System::getenv, Instant.now(), ProcessHandle.current().pid(), Run::localHost);
    ConfigReader.Result result = reader.read(yaml);
    List<Problem> unknown = options.unknown(result.keys());
    if (!unknown.isEmpty()) {
      throw new InvalidConfigException(unknown);
    }
    return result.config();
  }

  private static void refuse(InvalidConfigException e, AgentOptions options, EventLog log) {
    boolean exit = "exit".equals(options.text("onError"));
    List<Problem> problems = e.problems();
    log.warn(
        "%s; %s%n%s"
            .formatted(
                problems.size() == 1
                    ? "1 error in the configuration"
                    : problems.size() + " errors in the configuration",
                exit ? "exit, because onError=exit" : "the application runs without camhook",
                problems.stream().map(p -> "  " + p).collect(Collectors.joining("\n"))));
    if (exit) {
      System.exit(STATUS_BAD_CONFIG);
    }
  }
}
