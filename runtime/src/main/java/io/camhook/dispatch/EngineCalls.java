package io.camhook.dispatch;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The calls from the woven code of one engine, in one class loader, to its adapter. Thread-safe.
 * Objects have the engine's own types, which this package does not name. An adapter overrides the
 * methods that its weaving recipe calls; the defaults leave the engine alone, or report that the
 * feature is not available.
 */
public interface EngineCalls {
  /** A {@code Predictor} or {@code Trainer} was made: its model can be matched and checked. */
  default void opened(Object owner) {}

  /**
   * A predictor begins to process a batch of inputs, or a trainer a batch of its own.
   *
   * @param owner the predictor or trainer
   * @param inputs the predictor's inputs; null for a trainer
   * @return the request, which is closed when the predictor is done, or null if it is not sampled
   */
  default @Nullable Request request(Object owner, @Nullable List<?> inputs) {
    return null;
  }

  /**
   * A model begins to load its files.
   *
   * @return to be closed when it has, or null when it is of no interest
   */
  default @Nullable Request loading(Object model) {
    return null;
  }

  /** A session is about to be closed, or the engine to end together with the JVM. */
  default void ending(Object subject) {}

  /**
   * An archive with code of the engine is about to be loaded.
   *
   * @param subject what loads it
   * @param arguments of the loading method; changed in place to load another file
   * @return the call, which is closed after loading, or null if it is of no interest
   */
  default @Nullable BlockCall archive(Object subject, Object[] arguments) {
    return null;
  }

  /**
   * The engine is about to run a model that is one call to native code.
   *
   * @param inputs the model's inputs
   * @param training whether the caller wants a graph
   * @return the model's result if the adapter ran it; null if the engine should run it as usual
   */
  default @Nullable Object run(Object block, Object inputs, boolean training) {
    return null;
  }

  /**
   * A block's forward begins.
   *
   * @param block the block
   * @param arguments the arguments of forward in order; replaced in place where a pre hook replaces
   *     them
   * @param declares the class that declares the forward that begins
   * @return the call, to be closed when forward ends, or null when it is of no interest
   */
  default @Nullable BlockCall enter(Object block, Object[] arguments, Class<?> declares) {
    return null;
  }

  /**
   * Called before the engine's backward.
   *
   * @return true if the adapter ran it, false if the engine should run it as usual
   */
  default boolean backward(Object target, Object gradient, boolean keepGraph, boolean createGraph) {
    return false;
  }

  /**
   * The modules of a model that match {@code layers}, a path or a glob.
   *
   * @throws IllegalArgumentException if there are none; the message lists the closest paths
   */
  default List<Object> modules(Object model, String layers) {
    throw new IllegalArgumentException(
        "models of this engine have no modules that take hooks from code; name their layers in"
            + " camhook.yaml");
  }

  /**
   * Rejects a hook that could never run on this module, or not with its options.
   *
   * @throws IllegalArgumentException if it is rejected; the message says what to do
   */
  default void checkHook(Object module, HookEntry entry) {}

  /**
   * Registers a hook for the gradient of a tensor.
   *
   * @return removes it
   * @throws IllegalStateException if the tensor requires no gradient
   */
  default Runnable tensorHook(Object tensor, HookEntry entry) {
    throw noGradients();
  }

  /**
   * Lets a tensor that is no leaf keep its gradient.
   *
   * @throws IllegalStateException if the tensor requires no gradient
   */
  default void retainGrad(Object tensor) {
    throw noGradients();
  }

  /**
   * Differentiates an output, running the hooks on the way.
   *
   * @param gradOutput gradient at the output; null for ones
   * @return one entry per input; null where the output does not depend on it
   * @throws IllegalStateException if a tensor requires no gradient
   */
  default List<@Nullable Object> grad(
      Object output, @Nullable Object gradOutput, List<?> inputs, boolean keepGraph) {
    throw noGradients();
  }

  /**
   * Registers a hook for the moment when the {@code .grad} of a leaf has been updated.
   *
   * @param leaf a tensor, or a parameter of a module
   * @return removes it
   * @throws IllegalStateException if it is no leaf or requires no gradient
   */
  default Runnable postAccumulateHook(Object leaf, HookEntry entry) {
    throw noGradients();
  }

  private static IllegalStateException noGradients() {
    return new IllegalStateException(
        "no tensor of this engine requires a gradient; gradients inside a model are captured by"
            + " camhook.yaml");
  }
}
