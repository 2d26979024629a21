package io.camhook.agent;

import io.camhook.builtin.Watches;
import io.camhook.capture.Recorder;
import io.camhook.config.CamhookConfig;
import io.camhook.config.CamhookConfig.Limits;
import io.camhook.dispatch.Dispatch;
import io.camhook.dispatch.EventLog;
import io.camhook.engine.AdapterContext;
import io.camhook.engine.EngineAdapter;
import java.io.IOException;
import java.lang.instrument.Instrumentation;
import java.util.List;

/**
 * Engine adapters in a JVM that was not started with {@code -javaagent}: models run and are
 * differentiated on request, and nothing is sampled.
 */
public final class StandaloneAdapter {
  private static final CamhookConfig NOTHING =
      new CamhookConfig(
          List.of(),
          new CamhookConfig.Sampling(0, 0),
          new Limits(Limits.AUTO, Limits.WhenFull.DROP, false),
          new CamhookConfig.Output(null, 0),
          false);

  private StandaloneAdapter() {}

  /**
   * Sets the agent to work in the process of {@code camhook.jar}. Does nothing if the agent is
   * already at work, and in other processes. Call it before the engine's classes are loaded.
   */
  public static synchronized void startAgent(EventLog log) {
    Instrumentation own = LauncherAgent.instrumentation();
    if (own != null && !Dispatch.installed()) {
      RunningAgent.start(
          NOTHING,
          null,
          recorder(log),
          (type, loader) -> log.info("instruments " + type),
          log,
          own);
    }
  }

  /**
   * An adapter to the DJL that {@code loader} sees, in a process without the agent: no class is
   * woven, and only what the caller loads itself can be explained.
   *
   * @throws ReflectiveOperationException if this DJL is not of the kind the adapter is written for
   */
  public static EngineAdapter unwoven(ClassLoader loader, EventLog log)
      throws IOException, ReflectiveOperationException {
    EngineAdapter adapter = make(loader);
    adapter.start(new AdapterContext(NOTHING, recorder(log), Watches.of(NOTHING, log), log, false));
    return adapter;
  }

  private static Recorder recorder(EventLog log) {
    return new Recorder(
        NOTHING.limits(),
        "nowhere",
        () -> {
          throw new IOException("nothing is recorded in this JVM");
        },
        log);
  }

  private static EngineAdapter make(ClassLoader loader)
      throws IOException, ReflectiveOperationException {
    try {
      return (EngineAdapter)
          loader.loadClass(KnownEngine.DJL_ADAPTER).getConstructor().newInstance();
    } catch (ClassNotFoundException e) { // only in a nested jar
      return KnownEngine.DJL.maker().make(loader);
    }
  }
}
