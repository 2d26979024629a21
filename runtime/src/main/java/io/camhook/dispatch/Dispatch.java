package io.camhook.dispatch;

import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The only class that woven bytecode calls. Woven code reads one of the flags first and calls
 * nothing while it is false, so that a pass nobody looks at costs a field read per block.
 *
 * <p>This package names no engine type, so that it links in the agent's loader. What knows the
 * engine is made by the function given to {@link #install}, once per class loader that holds an
 * engine, when that engine is first used.
 */
public final class Dispatch {
  /** Whether any hook is registered or any pass is being captured in this JVM. */
  public static volatile boolean active;

  /** Whether predictors and trainers are of interest at all. */
  public static volatile boolean requests;

  /** Whether any graph with gradient hooks may be alive. */
  public static volatile boolean gradients;

  private static int holders;
  private static int graphs;

  private static volatile @Nullable Engines engines;
  private static volatile @Nullable ModuleSource plain;

  private Dispatch() {}

  /**
   * Plugs the maker of adapters, and where failures of camhook itself are counted.
   *
   * @param factory as {@link #install(Function)} says
   */
  public static synchronized void install(
      Function<Class<?>, @Nullable EngineCalls> factory, Failures failures) {
    Door.report(failures);
    install(factory);
  }

  /**
   * Plugs the maker of adapters; null unplugs it.
   *
   * @param factory from a class of the engine to the adapter of the engine there; null from it
   *     means that there is none (it has said why)
   */
  public static synchronized void install(
      @Nullable Function<Class<?>, @Nullable EngineCalls> factory) {
    Engines before = engines;
    engines = factory == null ? null : new Engines(factory);
    requests = factory != null;
    if (before != null) {
      before.close();
    }
  }

  /** Plugs what knows the modules of plain networks; null unplugs it. */
  public static void installPlain(@Nullable ModuleSource source) {
    plain = source;
  }

  /**
   * The modules of a plain network that {@code layers} means; null if the object is none.
   *
   * @throws IllegalArgumentException if {@code layers} means none of its modules
   */
  public static @Nullable List<Object> plainModules(Object model, String layers) {
    ModuleSource source = plain;
    return source == null ? null : source.modules(model, layers);
  }

  /** Whether an agent is there that weaves engines. */
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

  /** Entry of a woven forward; null when the call is of no interest. */
  public static @Nullable BlockCall enter(Object block, Object[] arguments) {
    EngineCalls engine = engineOf(block);
    return engine == null ? null : engine.enter(block, arguments);
  }

  /** End of a woven constructor of a predictor or trainer. */
  public static void opened(Object owner) {
    EngineCalls engine = engineOf(owner);
    if (engine != null) {
      engine.opened(owner);
    }
  }

  /** Entry of a model's woven {@code load}; null when it is of no interest. */
  public static @Nullable Request loading(Object model) {
    EngineCalls engine = engineOf(model);
    return engine == null ? null : engine.loading(model);
  }

  /** Something of an engine ends: a session, or the engine itself together with the JVM. */
  public static void ending(Object subject) {
    EngineCalls engine = engineOf(subject);
    if (engine != null) {
      engine.ending(subject);
    }
  }

  /** Entry of a woven method that loads an archive; null when it is of no interest. */
  public static @Nullable BlockCall archive(Object subject, Object[] arguments) {
    EngineCalls engine = engineOf(subject);
    return engine == null ? null : engine.archive(subject, arguments);
  }

  /** Entry of a woven call to native code; not null when the engine has nothing left to do. */
  public static @Nullable Object run(Object block, Object inputs, boolean training) {
    EngineCalls engine = engineOf(block);
    return engine == null ? null : engine.run(block, inputs, training);
  }

  /** Entry of a predictor's or trainer's request; null when the request is not sampled. */
  public static @Nullable Request request(Object owner, @Nullable List<?> inputs) {
    EngineCalls engine = engineOf(owner);
    return engine == null ? null : engine.request(owner, inputs);
  }

  /** Entry of a woven {@code backward}; true when the engine has nothing left to do. */
  public static boolean backward(
      Object target, Object gradient, boolean keepGraph, boolean createGraph) {
    EngineCalls engine = engineOf(target);
    return engine != null && engine.backward(target, gradient, keepGraph, createGraph);
  }
}
