package io.camhook.agent;

import java.lang.instrument.Instrumentation;
import org.jspecify.annotations.Nullable;

/**
 * {@code Launcher-Agent-Class} of {@code camhook.jar}. Most of its commands run no model, so this
 * only keeps the JVM's instrumentation for {@link StandaloneAdapter}.
 */
public final class LauncherAgent {
  /** The JVM calls this once, before main. */
  private static volatile @Nullable Instrumentation given;

  private LauncherAgent() {}

  public static void agentmain(@Nullable String options, Instrumentation instrumentation) {
    given = instrumentation;
  }

  /** Null if the JVM was not started with {@code -jar camhook.jar}. */
  static @Nullable Instrumentation instrumentation() {
    return given;
  }
}
