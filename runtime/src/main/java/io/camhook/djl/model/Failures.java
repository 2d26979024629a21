package io.camhook.djl.model;

import io.camhook.dispatch.EventLog;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Where failures of camhook itself end, instead of in the application: counted, the first one
 * logged with its stack trace. Thread-safe.
 */
public final class Failures {
  private final EventLog log;
  private final AtomicLong count = new AtomicLong();
  private final Set<String> mistakes = ConcurrentHashMap.newKeySet();

  public Failures(EventLog log) {
    this.log = log;
  }

  public void add(String what, Throwable cause) {
    if (count.getAndIncrement() == 0) {
      log.failure(what + " (the application is not affected; further failures are counted)", cause);
    }
  }

  /** As {@link #add}, and logged in any case: the caller says it once. */
  public void report(String what, Throwable cause) {
    count.getAndIncrement();
    log.failure(what, cause);
  }

  /** Something that the configuration asks for and that cannot be had; each is said once. */
  public void mistake(String what) {
    count.getAndIncrement();
    if (mistakes.add(what)) {
      log.warn(what);
    }
  }

  public long count() {
    return count.get();
  }
}
