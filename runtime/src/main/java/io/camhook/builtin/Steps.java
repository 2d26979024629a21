package io.camhook.builtin;

import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Numbers the passes of one model and the calls in them. A pass belongs to the thread that began it
 * until that thread begins the next one: a backward pass belongs to the forward pass before it.
 * Thread-safe.
 */
public final class Steps {
  private final String model;
  private final AtomicLong next = new AtomicLong();
  private final ThreadLocal<@Nullable Pass> passes = new ThreadLocal<>();

  private static final class Pass {
    final long step;
    final Map<Counter, Integer> calls = new HashMap<>();

    Pass(long step) {
      this.step = step;
    }
  }

  private record Counter(LayerWatch watch, boolean backward, String path) {}

  public Steps(String model) {
    this.model = model;
  }

  /** The model's forward begins on this thread. */
  public void begin() {
    passes.set(new Pass(next.getAndIncrement()));
  }

  /**
   * Called when a module's forward has ended. Calls are counted separately for each {@code watch}.
   */
  public LayerCall forward(LayerWatch watch, String path, String type) {
    return call(new Counter(watch, false, path), type);
  }

  /** A module's backward has ended. */
  public LayerCall backward(LayerWatch watch, String path, String type) {
    return call(new Counter(watch, true, path), type);
  }

  private LayerCall call(Counter counter, String type) {
    Pass pass = passes.get();
    if (pass == null) {
      begin();
      return call(counter, type);
    }
    int number = pass.calls.merge(counter, 1, Integer::sum) - 1;
    return new LayerCall(model, counter.path, type, pass.step, number);
  }
}
