package io.camhook.agent;

import io.camhook.agent.weave.DjlWeaver;
import io.camhook.agent.weave.Weaver;
import java.lang.instrument.Instrumentation;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Entry points of the JVM: {@code -javaagent}, attach, and {@code Launcher-Agent-Class}. */
public final class CamhookAgent {
  private CamhookAgent() {}

  public static void premain(@Nullable String options, Instrumentation instrumentation) {
    start(options, instrumentation);
  }

  public static void agentmain(@Nullable String options, Instrumentation instrumentation) {
    start(options, instrumentation);
  }

  private static void start(@Nullable String options, Instrumentation instrumentation) {
    new Weaver(List.of(new DjlWeaver()), (type, loader) -> {}, new StderrLog(System.err))
        .install(instrumentation);
  }
}
