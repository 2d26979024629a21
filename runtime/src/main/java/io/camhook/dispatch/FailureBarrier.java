package io.camhook.dispatch;

import org.jspecify.annotations.Nullable;

/*
 * * Woven bytecode calls into camhook through barriers only. Every Throwable of camhook, including
 * a JVM error or a failing static initializer, ends at the barrier: it is counted, and the woven
 * method continues as if camhook were not there. Exceptions of the application's own hooks pass.
 */
/** Keeps the failures of one kind of call from woven bytecode away from the application. */
public final class FailureBarrier {
  private static volatile Failures failures = new Failures(EventLog.SILENT);

  private final String what;

  /**
   * @param what fails, in words
   */
  public FailureBarrier(String what) {
    this.what = what;
  }

  /** Sets where the failures of all barriers are counted. */
  static void report(Failures to) {
    failures = to;
  }

  /** The failures of the running agent. */
  public static Failures failures() {
    return failures;
  }

  /** Handles a Throwable from inside: counts camhook's own, rethrows the application's. */
  public void failed(Throwable thrown) {
    if (UserFailure.isMarked(thrown)) {
      throw FailureBarrier.<RuntimeException>unchanged(thrown);
    }
    failures.add(what, thrown);
  }

  /** Notes that a call succeeded. */
  public void passed() {
    failures.worked(what);
  }

  @SuppressWarnings("unchecked")
  private static <E extends Throwable> E unchanged(@Nullable Throwable thrown) throws E {
    throw (E) thrown;
  }
}
