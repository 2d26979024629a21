package io.camhook.agent;

import io.camhook.dispatch.EventLog;
import java.io.PrintStream;
import java.util.Arrays;

/**
 * Writes each event as a line {@code camhook: …}; lines of different threads are never interleaved.
 */
final class StderrLog implements EventLog {
  private static final int FRAMES = 60;

  private final PrintStream out;

  StderrLog(PrintStream out) {
    this.out = out;
  }

  @Override
  public void info(String message) {
    out.println("camhook: " + message);
  }

  @Override
  public void warn(String message) {
    out.println("camhook: " + message);
  }

  /** The first lines of an endless recursion are enough. */
  private static Throwable shortened(Throwable thrown) {
    Throwable at = thrown;
    for (int depth = 0; at != null && depth < FRAMES; depth++, at = at.getCause()) {
      if (at.getStackTrace().length > FRAMES) {
        at.setStackTrace(Arrays.copyOf(at.getStackTrace(), FRAMES));
      }
    }
    return thrown;
  }

  @Override
  public void failure(String message, Throwable cause) {
    synchronized (out) {
      out.println("camhook: " + message + ": " + cause);
      shortened(cause).printStackTrace(out);
    }
  }
}
