package io.camhook.dispatch;

/**
 * Marks an exception as the application's own: thrown by one of its hooks, caused by a hook's
 * impossible request, or thrown by its engine. Only marked exceptions leave camhook; any other is a
 * failure of camhook itself and stays inside. Thread-safe.
 */
public final class UserFailure {
  private static final WeakIdentityMap<Throwable, Boolean> MARKED = new WeakIdentityMap<>();

  private UserFailure() {}

  /** Marks {@code thrown} as the application's; the caller rethrows it. */
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
