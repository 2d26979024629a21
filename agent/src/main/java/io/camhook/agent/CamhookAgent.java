package io.camhook.agent;

import java.lang.instrument.Instrumentation;
import org.jspecify.annotations.Nullable;

/** Entry points of the JVM: {@code -javaagent}, attach, and {@code Launcher-Agent-Class}. */
public final class CamhookAgent {
  private CamhookAgent() {}

  /** Before the application's main; see {@link AgentOptions} for the form of the options. */
  public static void premain(@Nullable String options, Instrumentation instrumentation) {
    Startup.run(options, instrumentation);
  }

  /** Into a JVM that runs already. */
  public static void agentmain(@Nullable String options, Instrumentation instrumentation) {
    Startup.run(options, instrumentation);
  }
}
