package io.camhook.agent;

import io.camhook.dispatch.EventLog;
import java.util.ArrayList;
import java.util.List;

/**
 * The answer to {@code camhook attach}, {@code detach} or {@code status}. The JDK's attach API
 * returns no answer, so the command's process reads this JVM's system property {@value #PROPERTY}:
 * {@code ok} or {@code failed}, followed by the message lines. Changes to this JVM are also logged
 * on its standard error; queries are not.
 */
final class Reply implements EventLog, AutoCloseable {
  static final String PROPERTY = "camhook.reply";
  private static final String FAILED = "failed";

  private final boolean wanted;
  private final EventLog log;
  private final List<String> lines = new ArrayList<>();
  private boolean failed;
  private boolean closed;

  /**
   * @param wanted whether anybody waits for it
   */
  Reply(boolean wanted, EventLog log) {
    this.wanted = wanted;
    this.log = log;
  }

  /** The answer to a question. */
  synchronized void say(String line) {
    lines.add(line);
  }

  /** Reports that the command was not executed. */
  synchronized void refuse(String why) {
    failed = true;
    warn(why);
  }

  @Override
  public void info(String message) {
    keep(message);
    log.info(message);
  }

  @Override
  public void warn(String message) {
    keep(message);
    log.warn(message);
  }

  @Override
  public void failure(String message, Throwable cause) {
    keep(message + ": " + cause);
    synchronized (this) {
      failed |= !closed;
    }
    log.failure(message, cause);
  }

  private synchronized void keep(String message) {
    if (!closed) {
      lines.add(message);
    }
  }

  /** Publishes the answer. */
  @Override
  public synchronized void close() {
    closed = true;
    if (wanted) {
      System.setProperty(PROPERTY, (failed ? FAILED : "ok") + "\n" + String.join("\n", lines));
    }
    lines.clear();
  }
}
