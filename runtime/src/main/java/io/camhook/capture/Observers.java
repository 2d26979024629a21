package io.camhook.capture;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

/** All observers of a recorder. An exception from one reaches neither the others nor the caller. */
final class Observers {
  private final List<CaptureObserver> all = new CopyOnWriteArrayList<>();
  private final AtomicLong failures = new AtomicLong();

  void add(CaptureObserver observer) {
    all.add(observer);
  }

  void each(Consumer<CaptureObserver> call) {
    for (CaptureObserver observer : all) {
      try {
        call.accept(observer);
      } catch (Throwable e) {
        failures.incrementAndGet();
      }
    }
  }

  /** Calls that threw something. */
  long failures() {
    return failures.get();
  }
}
