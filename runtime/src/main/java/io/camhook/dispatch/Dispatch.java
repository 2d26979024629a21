package io.camhook.dispatch;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The only class that woven bytecode calls. Woven code reads one of the flags first and calls
 * nothing while it is false, so that a pass without hooks or capture costs one field read per
 * block.
 *
 * <p>This package names no engine type, so that it links in the agent's loader. The function passed
 * to {@link #install} creates the engine-specific part, once per class loader that holds an engine,
 * when that engine is first used.
 */
public final class Dispatch {
  /** Whether any hook is registered or any pass is being captured in this JVM. */
  public static volatile boolean active;

  /** Whether predictors and trainers are of interest at all. */
  public static volatile boolean requests;

  /** Whether any graph with gradient hooks may be alive. */
  public static volatile boolean gradients;

  private static final FailureBarrier MODEL = new FailureBarrier("a model could not be looked at");
  private static final FailureBarrier LOAD =
      new FailureBarrier("a model could not be prepared while it was loaded");
  private static final FailureBarrier REQUEST =
      new FailureBarrier("a request could not be captured");
  private static final FailureBarrier BEFORE =
      new FailureBarrier("camhook's work before a forward failed");
  private static final FailureBarrier AFTER =
      new FailureBarrier("camhook's work after a forward failed");
  private static final FailureBarrier RUN =
      new FailureBarrier("hooks or taps inside a TorchScript model failed");
  private static final FailureBarrier END = new FailureBarrier("the end of a session failed");
  private static final FailureBarrier BACKWARD = new FailureBarrier("hooks in a backward failed");

  /** Calls of woven code that have begun and not ended. */
  private static final LongAdder UNDER_WAY = new LongAdder();

  private static int holders;
  private static int graphs;

  private static volatile @Nullable Engines engines;
  private static volatile @Nullable ModuleSource plain;

  private Dispatch() {}

  /**
   * Installs the factory of adapters, and the counter of camhook's own failures.
   *
   * @param markers maps the name of a woven class to marker classes of the engines that it may
   *     belong to. The first marker that its loader sees decides, and one adapter is created for it
   * @param factory creates the adapter for a marker's engine; returns null if there is none, after
   *     logging why
   */
  public static synchronized void install(
      Function<String, List<String>> markers,
      Function<Class<?>, @Nullable EngineCalls> factory,
      Failures failures) {
    FailureBarrier.report(failures);
    plug(new Engines(markers, factory));
  }

  /** Plugs one adapter for all; null unplugs what was there. */
  public static synchronized void install(@Nullable EngineCalls adapter) {
    plug(adapter == null ? null : new Engines(List::of, type -> adapter));
  }

  private static void plug(@Nullable Engines made) {
    Engines before = engines;
    engines = made;
    requests = made != null;
    if (before != null) {
      before.close();
    }
  }

  /** Installs the source of the modules of plain networks; null removes it. */
  public static void installPlain(@Nullable ModuleSource source) {
    plain = source;
  }

  /**
   * The modules of a plain network that match {@code layers}; null if the object is not one.
   *
   * @throws IllegalArgumentException if {@code layers} matches none of its modules
   */
  public static @Nullable List<Object> plainModules(Object model, String layers) {
    ModuleSource source = plain;
    return source == null ? null : source.modules(model, layers);
  }

  /** Whether an agent that weaves engines is present. */
  public static boolean installed() {
    return engines != null;
  }

  /** Keeps {@link #active} true until {@link #release} is called as often. */
  public static synchronized void retain() {
    holders++;
    active = true;
  }

  /** Undoes one {@link #retain}. */
  public static synchronized void release() {
    holders--;
    active = holders > 0;
  }

  /** Keeps {@link #gradients} true until {@link #releaseGradients} is called as often. */
  public static synchronized void retainGradients() {
    graphs++;
    gradients = true;
  }

  /** Undoes one {@link #retainGradients}. */
  public static synchronized void releaseGradients() {
    graphs--;
    gradients = graphs > 0;
  }

  /** The adapter for an object of an engine, or null when there is none. */
  public static @Nullable EngineCalls engineOf(Object engineObject) {
    Engines all = engines;
    return all == null ? null : all.of(engineObject.getClass());
  }

  /** Entry of a woven call that is not part of another one; null when it is of no interest. */
  public static @Nullable BlockCall enter(Object subject, Object[] arguments) {
    return enter(subject, arguments, subject.getClass());
  }

  /** Entry of a woven forward; null when the call is of no interest. */
  public static @Nullable BlockCall enter(Object block, Object[] arguments, Class<?> declares) {
    try {
      EngineCalls engine = engineOf(block);
      return engine == null ? null : begun(engine.enter(block, arguments, declares), BEFORE);
    } catch (Throwable e) {
      BEFORE.failed(e);
      return null;
    }
  }

  /**
   * End of a woven call.
   *
   * @return the result that its caller gets
   */
  public static @Nullable Object exit(
      BlockCall call, @Nullable Object result, @Nullable Throwable thrown) {
    try {
      Object given = call.exit(result, thrown);
      AFTER.passed();
      return given;
    } catch (Throwable e) {
      AFTER.failed(e);
      return result;
    } finally {
      UNDER_WAY.decrement();
    }
  }

  /** End of a woven constructor of a predictor or trainer. */
  public static void opened(Object owner) {
    try {
      EngineCalls engine = engineOf(owner);
      if (engine != null) {
        engine.opened(owner);
        MODEL.passed();
      }
    } catch (Throwable e) {
      MODEL.failed(e);
    }
  }

  /** Entry of a model's woven {@code load}; null when it is of no interest. */
  public static @Nullable Request loading(Object model) {
    try {
      EngineCalls engine = engineOf(model);
      return engine == null ? null : begun(engine.loading(model), LOAD);
    } catch (Throwable e) {
      LOAD.failed(e);
      return null;
    }
  }

  /** Called when a session ends, or the engine itself at JVM shutdown. */
  public static void ending(Object subject) {
    try {
      EngineCalls engine = engineOf(subject);
      if (engine != null) {
        engine.ending(subject);
      }
    } catch (Throwable e) {
      END.failed(e);
    }
  }

  /** Entry of a woven method that loads an archive; null when it is of no interest. */
  public static @Nullable BlockCall archive(Object subject, Object[] arguments) {
    try {
      EngineCalls engine = engineOf(subject);
      return engine == null ? null : begun(engine.archive(subject, arguments), LOAD);
    } catch (Throwable e) {
      LOAD.failed(e);
      return null;
    }
  }

  /** Entry of a woven call to native code; not null when the engine has nothing left to do. */
  public static @Nullable Object run(Object block, Object inputs, boolean training) {
    UNDER_WAY.increment();
    try {
      EngineCalls engine = engineOf(block);
      return engine == null ? null : engine.run(block, inputs, training);
    } catch (Throwable e) {
      RUN.failed(e);
      return null;
    } finally {
      UNDER_WAY.decrement();
    }
  }

  /** Entry of a predictor's or trainer's request; null when the request is not sampled. */
  public static @Nullable Request request(Object owner, @Nullable List<?> inputs) {
    try {
      EngineCalls engine = engineOf(owner);
      return engine == null ? null : begun(engine.request(owner, inputs), REQUEST);
    } catch (Throwable e) {
      REQUEST.failed(e);
      return null;
    }
  }

  /** End of a woven call during which a request was open. */
  public static void close(Request request) {
    try {
      request.close();
    } catch (Throwable e) {
      REQUEST.failed(e);
    } finally {
      UNDER_WAY.decrement();
    }
  }

  /** Entry of a woven {@code backward}; true when the engine has nothing left to do. */
  public static boolean backward(
      Object target, Object gradient, boolean keepGraph, boolean createGraph) {
    UNDER_WAY.increment();
    try {
      EngineCalls engine = engineOf(target);
      return engine != null && engine.backward(target, gradient, keepGraph, createGraph);
    } catch (Throwable e) {
      BACKWARD.failed(e);
      return false;
    } finally {
      UNDER_WAY.decrement();
    }
  }

  private static <T> @Nullable T begun(@Nullable T call, FailureBarrier barrier) {
    if (call != null) {
      UNDER_WAY.increment();
      barrier.passed();
    }
    return call;
  }

  /**
   * Waits until no thread is inside camhook.
   *
   * @return false if some still are after the time
   */
  public static boolean awaitIdle(Duration limit) throws InterruptedException {
    long end = System.nanoTime() + limit.toNanos();
    while (UNDER_WAY.sum() != 0) {
      if (System.nanoTime() > end) {
        return false;
      }
      Thread.sleep(1);
    }
    return true;
  }
}
