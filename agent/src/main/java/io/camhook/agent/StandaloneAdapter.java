package io.camhook.agent;

import io.camhook.builtin.Watches;
import io.camhook.capture.Recorder;
import io.camhook.config.CamhookConfig;
import io.camhook.config.CamhookConfig.Limits;
import io.camhook.dispatch.Dispatch;
import io.camhook.dispatch.EngineCalls;
import io.camhook.dispatch.EventLog;
import io.camhook.spi.AdapterContext;
import io.camhook.spi.EngineAdapter;
import java.io.IOException;
import java.lang.instrument.Instrumentation;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Engine adapters in a JVM that was not started with {@code -javaagent}: models are run and
 * differentiated on request, and nothing is sampled. In the process of {@code camhook explain} the
 * agent is at work all the same; elsewhere no class is woven, and only what the caller loads itself
 * can be explained.
 */
public final class StandaloneAdapter {
  private StandaloneAdapter() {}

  /** Makes adapters known to {@link Dispatch}, unless the agent has done so. */
  public static synchronized void install(EventLog log) {
    if (Dispatch.installed()) {
      return;
    }
    CamhookConfig nothing =
        new CamhookConfig(
            List.of(),
            new CamhookConfig.Sampling(0, 0),
            new Limits(0, Limits.WhenFull.DROP, false),
            new CamhookConfig.Output(null, 0, null),
            false);
    Recorder recorder =
        new Recorder(
            nothing.limits(),
            "nowhere",
            () -> {
              throw new IOException("nothing is recorded in this JVM");
            },
            log);
    Instrumentation own = LauncherAgent.instrumentation();
    if (own != null) {
      Startup.start(nothing, recorder, (type, loader) -> log.info("instruments " + type), log, own);
      return;
    }
    Watches watches = Watches.of(nothing, log);
    AdapterContext context = new AdapterContext(nothing, recorder, watches, log, false);
    Dispatch.install(loader -> adapter(loader, context));
  }

  private static @Nullable EngineCalls adapter(ClassLoader loader, AdapterContext context) {
    try {
      EngineAdapter adapter = make(loader);
      adapter.start(context);
      return adapter;
    } catch (Throwable e) {
      context.log().failure("DJL cannot be used, its adapter could not start", e);
      return null;
    }
  }

  private static EngineAdapter make(ClassLoader loader)
      throws IOException, ReflectiveOperationException {
    try {
      return (EngineAdapter) loader.loadClass(EngineAdapter.DJL).getConstructor().newInstance();
    } catch (ClassNotFoundException e) { // only in a nested jar
      return AdapterLoader.djl(loader);
    }
  }
}
