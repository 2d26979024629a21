package io.camhook.agent;

import io.camhook.capture.Recorder;
import io.camhook.config.CamhookConfig;
import io.camhook.config.CamhookConfig.Limits;
import io.camhook.dispatch.Dispatch;
import io.camhook.dispatch.EngineCalls;
import io.camhook.dispatch.EventLog;
import io.camhook.spi.AdapterContext;
import io.camhook.spi.EngineAdapter;
import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Engine adapters in a JVM that was not started with the agent, such as that of {@code camhook
 * explain}: models are run and differentiated on request, no class is woven and nothing sampled.
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
    AdapterContext context = new AdapterContext(nothing, recorder, log);
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
