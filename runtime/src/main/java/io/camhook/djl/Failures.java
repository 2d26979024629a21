package io.camhook.djl;

import io.camhook.dispatch.EventLog;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Where failures of camhook itself end, instead of in the application: counted, the first one
 * logged with its stack trace. Thread-safe.
 */
final class Failures {
  private final EventLog log;
  private final AtomicLong count = new AtomicLong();

  Failures(EventLog log) {
    this.log = log;
  }

  void add(String what, Throwable cause) {
    if (count.getAndIncrement() == 0) {
      log.failure(what + " (the application is not affected; further failures are counted)", cause);
    }
  }

  /** As {@link #add}, and logged in any case: the caller says it once. */
  void report(String what, Throwable cause) {
    count.getAndIncrement();
    log.failure(what, cause);
  }

  long count() {
    return count.get();
  }
}
