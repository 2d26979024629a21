package io.camhook.agent;

import java.io.File;
import java.io.IOException;
import java.lang.instrument.Instrumentation;
import java.net.URISyntaxException;
import java.util.jar.JarFile;
import org.jspecify.annotations.Nullable;

/** Entry points of the JVM: {@code -javaagent}, attach, and {@code Launcher-Agent-Class}. */
public final class CamhookAgent {
  private CamhookAgent() {}

  /** Before the application's main; see {@link AgentOptions} for the form of the options. */
  public static void premain(@Nullable String options, Instrumentation instrumentation) {
    start(options, instrumentation);
  }

  /** Attaches to a running JVM, and receives later commands. */
  public static void agentmain(@Nullable String options, Instrumentation instrumentation) {
    start(options, instrumentation);
  }

  private static void start(@Nullable String options, Instrumentation instrumentation) {
    try {
      if (AgentOptions.isBootstrap(options)) {
        startInBootstrapLoader(options, instrumentation);
      } else {
        Startup.run(options, instrumentation);
      }
    } catch (Throwable e) { // the application starts in any case
      System.err.println("camhook: could not start; the application runs without camhook: " + e);
    }
  }

  /**
   * From here on, the bootstrap loader loads camhook's classes, so that every class loader can see
   * them. Only this class and {@link AgentOptions} have been loaded before.
   */
  private static void startInBootstrapLoader(
      @Nullable String options, Instrumentation instrumentation)
      throws IOException, URISyntaxException, ReflectiveOperationException {
    File jar =
        new File(CamhookAgent.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    instrumentation.appendToBootstrapClassLoaderSearch(new JarFile(jar));
    Class<?> startup = Class.forName(CamhookAgent.class.getPackageName() + ".Startup", true, null);
    var run = startup.getDeclaredMethod("run", String.class, Instrumentation.class);
    run.setAccessible(true);
    run.invoke(null, options, instrumentation);
  }
}
