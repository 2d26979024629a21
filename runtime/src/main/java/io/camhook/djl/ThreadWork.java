package io.camhook.djl;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** What camhook is doing on a thread. There is none for a thread where it does nothing. */
final class ThreadWork {
  private static final Map<Thread, ThreadWork> BY_THREAD = new ConcurrentHashMap<>();

  @Nullable SampledRequest request;

  private ThreadWork() {}

  static @Nullable ThreadWork current() {
    return BY_THREAD.get(Thread.currentThread());
  }

  static ThreadWork begin() {
    return BY_THREAD.computeIfAbsent(Thread.currentThread(), thread -> new ThreadWork());
  }

  void end() {
    BY_THREAD.remove(Thread.currentThread());
  }
}
