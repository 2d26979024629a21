package io.camhook.dispatch;

import org.jspecify.annotations.Nullable;

/*
 * Woven bytecode calls into camhook through doors only. Whatever is thrown inside, an error of the JVM or a
 * failing static initializer included, ends at the door: it is counted, and the woven method goes on as if
 * camhook were not there. What the application's own hooks throw passes.
 */
/** One kind of call that woven bytecode makes, and how its failures are handled. */
public final class Door {
  private static volatile Failures failures = new Failures(EventLog.SILENT);

  private final String what;

  /**
   * @param what fails, in words
   */
  public Door(String what) {
    this.what = what;
  }

  /** Sets where failures of all doors are counted. */
  static void report(Failures to) {
    failures = to;
  }

  /** Failures of the agent that is at work. */
  public static Failures failures() {
    return failures;
  }

  /** Something was thrown inside: returns if it is camhook's own, throws it on if it is not. */
  public void failed(Throwable thrown) {
    if (UserFailure.isMarked(thrown)) {
      throw Door.<RuntimeException>unchanged(thrown);
    }
    failures.add(what, thrown);
  }

  /** Nothing was thrown inside. */
  public void passed() {
    failures.worked(what);
  }

  @SuppressWarnings("unchecked")
  private static <E extends Throwable> E unchanged(@Nullable Throwable thrown) throws E {
    throw (E) thrown;
  }
}
