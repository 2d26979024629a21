package io.camhook.agent.weave;

import io.camhook.dispatch.EventLog;
import java.util.List;

/** Keeps messages for tests: every line in {@code messages}, and failures in {@code failures}. */
record KeptLog(List<String> messages, List<Throwable> failures) implements EventLog {
  @Override
  public void info(String message) {
    messages.add(message);
  }

  @Override
  public void warn(String message) {
    messages.add(message);
  }

  @Override
  public void failure(String message, Throwable cause) {
    messages.add(message);
    failures.add(cause);
  }
}
