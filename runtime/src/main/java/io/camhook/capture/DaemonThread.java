package io.camhook.capture;

import java.security.AccessController;
import java.security.PrivilegedAction;

/**
 * Threads that outlive the request that started them. They keep nothing of the application alive:
 * no context class loader, no inheritable thread locals, and no access control context, which would
 * keep alive the loaders of all classes on the stack.
 */
public final class DaemonThread {
  private DaemonThread() {}

  /** A daemon that is not started yet. */
  @SuppressWarnings("removal") // JDK 17 still inherits the context
  public static Thread of(String name, Runnable work) {
    return AccessController.doPrivileged(
        (PrivilegedAction<Thread>)
            () -> {
              Thread thread = new Thread(null, work, name, 0, false);
              thread.setDaemon(true);
              thread.setContextClassLoader(null);
              return thread;
            });
  }
}
