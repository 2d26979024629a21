package io.camhook.agent;

import io.camhook.dispatch.EventLog;
import java.io.PrintStream;

/** Writes each event as a line {@code camhook: …}; a line is never torn by another thread's. */
final class StderrLog implements EventLog {
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

  @Override
  public void failure(String message, Throwable cause) {
    synchronized (out) {
      out.println("camhook: " + message + ": " + cause);
      cause.printStackTrace(out);
    }
  }
}
