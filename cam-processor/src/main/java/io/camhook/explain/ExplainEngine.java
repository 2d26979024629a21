package io.camhook.explain;

import ai.djl.engine.Engine;
import ai.djl.engine.EngineException;
import io.camhook.agent.StandaloneAdapter;
import io.camhook.dispatch.Dispatch;
import io.camhook.dispatch.EventLog;
import io.camhook.engine.EngineAdapter;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** DJL's PyTorch engine and camhook's adapter to it. */
final class ExplainEngine {
  private static final String ENGINE = "PyTorch";
  private static final String VERBOSE = "camhook.verbose";
  private static final String NATIVES = "native/lib/pytorch.properties";

  private ExplainEngine() {}

  /**
   * The adapter; starts the engine.
   *
   * @throws ExplainException if the engine's native library is missing
   */
  static EngineAdapter adapter() {
    requireNatives();
    StandaloneAdapter.startAgent(new StandardError());
    Engine engine;
    try {
      engine = Engine.getEngine(ENGINE);
    } catch (EngineException | LinkageError e) {
      throw new ExplainException(
          "PyTorch could not be started: "
              + rootCause(e)
              + "; "
              + NativeLibrary.ofThisPlatform().remedy(),
          e);
    }
    Object adapter = Dispatch.installed() ? Dispatch.engineOf(engine) : Unwoven.ADAPTER;
    if (adapter instanceof EngineAdapter found) {
      return found;
    }
    throw new ExplainException("camhook's adapter to this DJL could not start; see above");
  }

  /** Created on first use, if there is no agent. */
  private static final class Unwoven {
    static final @Nullable EngineAdapter ADAPTER = make();

    private static @Nullable EngineAdapter make() {
      EventLog log = new StandardError();
      try {
        return StandaloneAdapter.unwoven(Engine.getEngine(ENGINE).getClass().getClassLoader(), log);
      } catch (IOException | ReflectiveOperationException | LinkageError e) {
        log.failure("DJL cannot be used, its adapter could not start", e);
        return null;
      }
    }
  }

  private static void requireNatives() {
    boolean elsewhere =
        System.getenv("PYTORCH_LIBRARY_PATH") != null
            || System.getProperty("PYTORCH_LIBRARY_PATH") != null;
    ClassLoader loader = ExplainEngine.class.getClassLoader();
    if (!elsewhere && loader.getResource(NATIVES) == null) {
      throw new ExplainException(
          "PyTorch's native library is missing; " + NativeLibrary.ofThisPlatform().remedy());
    }
  }

  private static String rootCause(Throwable e) {
    Throwable cause = e;
    while (cause.getCause() != null) {
      cause = cause.getCause();
    }
    return String.valueOf(cause.getMessage());
  }

  /** Logs failures in one line each, and the agent's actions if verbose. */
  private static final class StandardError implements EventLog {
    @Override
    public void info(String message) {
      if (Boolean.getBoolean(VERBOSE)) {
        System.err.println("camhook: " + message);
      }
    }

    @Override
    public void warn(String message) {
      System.err.println("camhook: " + message);
    }

    @Override
    public void failure(String message, Throwable cause) {
      System.err.println("camhook: " + message + ": " + rootCause(cause));
    }
  }
}
