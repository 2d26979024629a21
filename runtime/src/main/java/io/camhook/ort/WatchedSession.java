package io.camhook.ort;

import ai.onnxruntime.OnnxTensorLike;
import ai.onnxruntime.OrtEnvironment;
import io.camhook.dispatch.Failures;
import java.lang.ref.WeakReference;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/*
 * A session of the application that the configuration names. The worker makes its side session as soon as the
 * application has its own. A pass that is to be captured earlier leaves copies of its inputs and outputs. The
 * worker repeats the pass from them: it does its tasks in order, and making the side session came first.
 */
/**
 * A watched session of the application, without a reference to it. Thread-safe.
 *
 * @see WatchedRun
 */
final class WatchedSession implements AutoCloseable {
  /** How many passes may fail before no more are captured. */
  private static final int FAILURES = 3;

  private static final long WAIT_SECONDS = 10;

  private final OnnxPlan plan;
  private final OrtEnvironment environment;
  private final List<String> inputs;
  private final List<String> outputs;
  private final Failures failures;
  private final WeakReference<ClassLoader> loader =
      new WeakReference<>(Thread.currentThread().getContextClassLoader());
  private final AtomicBoolean compared = new AtomicBoolean();
  private final LayerHooks none;
  private volatile @Nullable SideSessions sides;
  private final CountDownLatch made = new CountDownLatch(1);
  private volatile boolean closed;
  private int failed;

  /**
   * @param inputs names of the session's inputs, in order
   * @param outputs names of its outputs, in order
   */
  WatchedSession(
      OnnxPlan plan,
      OrtEnvironment environment,
      List<String> inputs,
      List<String> outputs,
      Failures failures) {
    this.plan = plan;
    this.environment = environment;
    this.inputs = List.copyOf(inputs);
    this.outputs = List.copyOf(outputs);
    this.failures = failures;
    this.none = new LayerHooks(plan, failures);
  }

  OnnxPlan plan() {
    return plan;
  }

  OrtEnvironment environment() {
    return environment;
  }

  /** The context class loader of the thread that made the session. */
  @Nullable ClassLoader loader() {
    return loader.get();
  }

  List<String> inputs() {
    return inputs;
  }

  List<String> outputs() {
    return outputs;
  }

  /** Whether the side session is ready, or known to be unavailable. */
  boolean isReady() {
    return made.getCount() == 0;
  }

  /**
   * Waits for the side sessions if hooks look at layers: hooks see every pass on its own thread,
   * and may end it.
   */
  void awaitForHooks() throws InterruptedException {
    if (isHooked()) {
      made.await(WAIT_SECONDS, TimeUnit.SECONDS);
    }
  }

  /** Runs captured passes; null if there is none (yet). */
  @Nullable SideSession side() {
    SideSessions now = sides;
    return now == null ? null : now.capturing();
  }

  /** Runs passes that hooks look at; null if there is none (yet). */
  @Nullable SideSession looking() {
    SideSessions now = sides;
    return now == null ? null : now.looking();
  }

  /** Runs passes whose values hooks replace; null if there is none (yet). */
  @Nullable ReplacingSessions replacing() {
    SideSessions now = sides;
    return now == null ? null : now.replacing();
  }

  /** The hooks on its layers. */
  LayerHooks hooks() {
    SideSessions now = sides;
    return now == null ? none : now.hooks();
  }

  /** Whether hooks look at every pass, now or once the side sessions exist. */
  boolean isHooked() {
    return !closed
        && !plan.entry().hooks().isEmpty()
        && (!isReady() || looking() != null || replacing() != null);
  }

  /**
   * Called when the worker has created the side sessions. If there are none, only inputs and
   * outputs are recorded.
   */
  synchronized void made(@Nullable SideSessions sessions) {
    if (closed && sessions != null) {
      sessions.close();
    } else {
      sides = sessions;
    }
    made.countDown();
  }

  boolean isClosed() {
    return closed;
  }

  /** True the first time, when the outputs of both sessions should be compared. */
  boolean toBeCompared() {
    return compared.compareAndSet(false, true);
  }

  /**
   * Counts a pass that could not be captured. After several failures the side session is no longer
   * used.
   */
  void failed(Throwable cause) {
    failures.add("a pass of model " + plan.label() + " could not be captured", cause);
    boolean enough;
    synchronized (this) {
      enough = ++failed == FAILURES;
    }
    if (enough) {
      giveUp("%d of its passes could not be captured".formatted(FAILURES));
    }
  }

  /** From now on records only inputs and outputs. */
  void giveUp(String why) {
    plan.sayOnce(why + "; from now on its captures hold only inputs and outputs");
    drop();
  }

  /** The application has closed its session, or camhook is leaving. Idempotent. */
  @Override
  public void close() {
    closed = true;
    drop();
  }

  private void drop() {
    SideSessions before;
    synchronized (this) {
      before = sides;
      sides = null;
    }
    if (before != null) {
      before.close();
    }
  }

  /** Whether hooks can look at a pass: the values of its inputs have not changed since it began. */
  static boolean isIntact(Map<String, ? extends OnnxTensorLike> inputs, Map<?, ?> pinned) {
    return pinned.values().stream()
        .noneMatch(output -> inputs.values().stream().anyMatch(input -> input == output));
  }
}
