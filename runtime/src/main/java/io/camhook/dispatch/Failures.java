package io.camhook.dispatch;

import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.Stream;

/**
 * Keeps failures of camhook itself away from the application: counts all of them, logs each
 * distinct cause once with its stack trace, and reports when something works again. Thread-safe;
 * never throws.
 */
public final class Failures {
  /** The maximum number of distinct causes kept; further ones are only counted. */
  private static final int CAUSES = 64;

  private static final String MORE = "others";

  private final EventLog log;
  private final AtomicLong count = new AtomicLong();
  private final Map<String, LongAdder> causes = new ConcurrentSkipListMap<>();
  private final Set<String> mistakes = ConcurrentHashMap.newKeySet();
  private final Map<String, LongAdder> failing = new ConcurrentHashMap<>();
  private volatile boolean anyFailing;

  public Failures(EventLog log) {
    this.log = log;
  }

  /**
   * Counts a failure.
   *
   * @param what what failed, with the same words each time
   */
  public void add(String what, Throwable cause) {
    try {
      count.getAndIncrement();
      failing.computeIfAbsent(what, w -> new LongAdder()).increment();
      anyFailing = true;
      if (isNew(what, cause)) {
        log.failure(what + " (the application is not affected; repetitions are counted)", cause);
      }
    } catch (Throwable e) {
      // no memory left even to say so; the failure is counted
    }
  }

  /** Like {@link #add}, but always logged: the caller reports it only once. */
  public void report(String what, Throwable cause) {
    count.getAndIncrement();
    isNew(what, cause);
    log.failure(what, cause);
  }

  /** Reports a request of the configuration that cannot be met; each is logged once. */
  public void mistake(String what) {
    count.getAndIncrement();
    if (mistakes.size() < CAUSES && mistakes.add(what)) {
      log.warn(what);
    }
  }

  /**
   * Called after a success: if {@code what} had failed before, reports that it works again. Cheap.
   */
  public void worked(String what) {
    if (!anyFailing) {
      return;
    }
    LongAdder times = failing.remove(what);
    if (times != null) {
      anyFailing = !failing.isEmpty();
      log.info("recovered: this works again: %s (%d times)".formatted(what, times.sum()));
    }
  }

  /** Whether the cause has not been logged yet. */
  private boolean isNew(String what, Throwable cause) {
    String key = what + ": " + describe(cause);
    LongAdder known = causes.get(key);
    boolean first = known == null && causes.size() < CAUSES;
    causes.computeIfAbsent(first || known != null ? key : MORE, k -> new LongAdder()).increment();
    return first;
  }

  /** The class of the innermost cause, and where it was thrown. */
  private static String describe(Throwable thrown) {
    Throwable cause = thrown;
    for (int depth = 0; cause.getCause() != null && depth < CAUSES; depth++) {
      cause = cause.getCause();
    }
    StackTraceElement[] trace = cause.getStackTrace();
    return cause.getClass().getName()
        + (trace.length == 0
            ? ""
            : " at " + trace[0].getClassName() + ":" + trace[0].getLineNumber());
  }

  /** The first failure whose message mentions {@code subject}. */
  public Optional<String> about(String subject) {
    return Stream.concat(mistakes.stream().sorted(), causes.keySet().stream())
        .filter(what -> what.contains(subject))
        .findFirst();
  }

  /** All failures so far. */
  public long count() {
    return count.get();
  }

  /** How often each distinct cause came, by what failed and where. */
  public Map<String, Long> causes() {
    Map<String, Long> counted = new TreeMap<>();
    causes.forEach((cause, times) -> counted.put(cause, times.sum()));
    return counted;
  }
}
