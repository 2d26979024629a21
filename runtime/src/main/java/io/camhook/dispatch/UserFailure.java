package io.camhook.dispatch;

/**
 * Marks what is thrown as the application's own: by one of its hooks, because a hook asks for what
 * cannot be, or by its engine. Only such leaves camhook; everything else is camhook's own failure
 * and stays inside. Thread-safe.
 */
public final class UserFailure {
  private static final WeakIdentityMap<Throwable, Boolean> MARKED = new WeakIdentityMap<>();

  private UserFailure() {}

  /** Says that {@code thrown} is the application's; the caller throws it on. */
  public static void mark(Throwable thrown) {
    MARKED.put(thrown, Boolean.TRUE);
  }

  /** Marks an exception that is about to be thrown. */
  public static <T extends Throwable> T of(T thrown) {
    mark(thrown);
    return thrown;
  }

  static boolean isMarked(Throwable thrown) {
    return MARKED.get(thrown) != null;
  }
}
