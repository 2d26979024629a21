package io.camhook.djl;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.util.PairList;
import io.camhook.ForwardHook;
import io.camhook.ForwardHookWithParams;
import io.camhook.ForwardPreHook;
import io.camhook.ForwardPreHookWithParams;
import io.camhook.FullBackwardHook;
import io.camhook.FullBackwardPreHook;
import io.camhook.HookHandle;
import io.camhook.HookOptions;
import io.camhook.Hooks;
import io.camhook.PostAccumulateGradHook;
import io.camhook.TensorHook;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * {@link Hooks} with DJL's types filled in, so that lambdas without parameter types compile. The
 * same rules apply.
 *
 * <p>The lists passed to a hook are copies: it may change them, and only its return value counts.
 * It may keep the arrays. It may close gradients, but not the arrays passed to a forward hook,
 * which belong to the model. {@code model} is a {@code Model} or its block, {@code layers} a path
 * or a glob ({@code "features.2"}, {@code "*Linear"}, {@code "**"}), also into a TorchScript model
 * that the configuration names.
 *
 * <p>All methods throw {@link NullPointerException} for null, {@link IllegalArgumentException} for
 * layers that do not exist (the message suggests similar ones), and {@link IllegalStateException}
 * without the agent.
 */
public final class BlockHooks {
  private BlockHooks() {}

  /** As {@link Hooks#requireAgent}. */
  public static void requireAgent() {
    Hooks.requireAgent();
  }

  /**
   * Sees the inputs of a block before it runs, and may replace them.
   *
   * <p>The list is the hook's own: it may be changed, and counts only if it is returned. The arrays
   * are the model's: they may be kept as long as their manager is open, and must not be closed.
   *
   * @param hook returns the inputs to go on with; null keeps them
   * @return removes the hook
   */
  public static HookHandle registerForwardPreHook(Block block, ForwardPreHook<Block, NDList> hook) {
    return Hooks.registerForwardPreHook(block, hook);
  }

  /**
   * As {@link #registerForwardPreHook(Block, ForwardPreHook)}, with options: first in its list,
   * called always, or replacing.
   */
  public static HookHandle registerForwardPreHook(
      Block block, ForwardPreHook<Block, NDList> hook, HookOptions options) {
    return Hooks.registerForwardPreHook(block, hook, options);
  }

  /**
   * As {@link #registerForwardPreHook(Block, ForwardPreHook)}, on all blocks of a model that {@code
   * layers} means, under one handle.
   */
  public static HookHandle registerForwardPreHook(
      Object model, String layers, ForwardPreHook<Block, NDList> hook) {
    return Hooks.registerForwardPreHook(model, layers, hook);
  }

  /**
   * As {@link #registerForwardPreHook(Block, ForwardPreHook)}, on all blocks of a model that {@code
   * layers} means, under one handle, with options.
   */
  public static HookHandle registerForwardPreHook(
      Object model, String layers, ForwardPreHook<Block, NDList> hook, HookOptions options) {
    return Hooks.registerForwardPreHook(model, layers, hook, options);
  }

  /**
   * As {@link #registerForwardPreHook(Block, ForwardPreHook)}, on every block of this JVM, before
   * the hooks of the block.
   */
  public static HookHandle registerForwardPreHookForAllModules(ForwardPreHook<Block, NDList> hook) {
    return Hooks.registerForwardPreHookForAllModules(hook);
  }

  /**
   * As {@link #registerForwardPreHook(Block, ForwardPreHook)}, on every block of this JVM whose
   * class {@code types} accepts.
   */
  public static HookHandle registerForwardPreHookForAllModules(
      Predicate<Class<?>> types, ForwardPreHook<Block, NDList> hook) {
    return Hooks.registerForwardPreHookForAllModules(types, hook);
  }

  /**
   * As {@link #registerForwardPreHook(Block, ForwardPreHook, HookOptions)}, and it sees {@code
   * params} too.
   */
  public static HookHandle registerForwardPreHookWithParams(
      Block block,
      ForwardPreHookWithParams<Block, NDList, PairList<String, Object>> hook,
      HookOptions options) {
    return Hooks.registerForwardPreHookWithParams(block, hook, options);
  }

  /**
   * Sees what a block was given and what it returned, and may replace the latter.
   *
   * <p>Both lists are the hook's own: they may be changed, and what is returned counts. The arrays
   * are the model's: they may be kept as long as their manager is open, and must not be closed.
   *
   * @param hook returns the outputs that the caller gets; null keeps them
   * @return removes the hook
   */
  public static HookHandle registerForwardHook(Block block, ForwardHook<Block, NDList> hook) {
    return Hooks.registerForwardHook(block, hook);
  }

  /**
   * As {@link #registerForwardHook(Block, ForwardHook)}, with options: first in its list, called
   * always, or replacing.
   */
  public static HookHandle registerForwardHook(
      Block block, ForwardHook<Block, NDList> hook, HookOptions options) {
    return Hooks.registerForwardHook(block, hook, options);
  }

  /**
   * As {@link #registerForwardHook(Block, ForwardHook)}, on all blocks of a model that {@code
   * layers} means, under one handle.
   */
  public static HookHandle registerForwardHook(
      Object model, String layers, ForwardHook<Block, NDList> hook) {
    return Hooks.registerForwardHook(model, layers, hook);
  }

  /**
   * As {@link #registerForwardHook(Block, ForwardHook)}, on all blocks of a model that {@code
   * layers} means, under one handle, with options.
   */
  public static HookHandle registerForwardHook(
      Object model, String layers, ForwardHook<Block, NDList> hook, HookOptions options) {
    return Hooks.registerForwardHook(model, layers, hook, options);
  }

  /**
   * As {@link #registerForwardHook(Block, ForwardHook)}, on every block of this JVM, before the
   * hooks of the block.
   */
  public static HookHandle registerForwardHookForAllModules(ForwardHook<Block, NDList> hook) {
    return Hooks.registerForwardHookForAllModules(hook);
  }

  /**
   * As {@link #registerForwardHook(Block, ForwardHook)}, on every block of this JVM whose class
   * {@code types} accepts.
   */
  public static HookHandle registerForwardHookForAllModules(
      Predicate<Class<?>> types, ForwardHook<Block, NDList> hook, HookOptions options) {
    return Hooks.registerForwardHookForAllModules(types, hook, options);
  }

  /**
   * As {@link #registerForwardHook(Block, ForwardHook, HookOptions)}, and it sees {@code params}
   * too.
   */
  public static HookHandle registerForwardHookWithParams(
      Block block,
      ForwardHookWithParams<Block, NDList, PairList<String, Object>> hook,
      HookOptions options) {
    return Hooks.registerForwardHookWithParams(block, hook, options);
  }

  /**
   * Sees the gradients of a block's outputs, and may replace them.
   *
   * <p>List and arrays are the hook's own: they may be changed, closed and kept, the arrays as long
   * as the manager of the pass is open.
   *
   * @param hook returns as many gradients of the same shapes; null keeps them
   * @return removes the hook
   */
  public static HookHandle registerFullBackwardPreHook(
      Block block, FullBackwardPreHook<Block, NDList> hook) {
    return Hooks.registerFullBackwardPreHook(block, hook);
  }

  /**
   * As {@link #registerFullBackwardPreHook(Block, FullBackwardPreHook)}, with options: first in its
   * list, called always, or replacing.
   */
  public static HookHandle registerFullBackwardPreHook(
      Block block, FullBackwardPreHook<Block, NDList> hook, HookOptions options) {
    return Hooks.registerFullBackwardPreHook(block, hook, options);
  }

  /**
   * As {@link #registerFullBackwardPreHook(Block, FullBackwardPreHook)}, on all blocks of a model
   * that {@code layers} means, under one handle.
   */
  public static HookHandle registerFullBackwardPreHook(
      Object model, String layers, FullBackwardPreHook<Block, NDList> hook) {
    return Hooks.registerFullBackwardPreHook(model, layers, hook);
  }

  /**
   * As {@link #registerFullBackwardPreHook(Block, FullBackwardPreHook)}, on all blocks of a model
   * that {@code layers} means, under one handle, with options.
   */
  public static HookHandle registerFullBackwardPreHook(
      Object model, String layers, FullBackwardPreHook<Block, NDList> hook, HookOptions options) {
    return Hooks.registerFullBackwardPreHook(model, layers, hook, options);
  }

  /**
   * As {@link #registerFullBackwardPreHook(Block, FullBackwardPreHook)}, on every block of this
   * JVM, before the hooks of the block.
   */
  public static HookHandle registerFullBackwardPreHookForAllModules(
      FullBackwardPreHook<Block, NDList> hook) {
    return Hooks.registerFullBackwardPreHookForAllModules(hook);
  }

  /**
   * As {@link #registerFullBackwardPreHook(Block, FullBackwardPreHook)}, on every block of this JVM
   * whose class {@code types} accepts.
   */
  public static HookHandle registerFullBackwardPreHookForAllModules(
      Predicate<Class<?>> types, FullBackwardPreHook<Block, NDList> hook) {
    return Hooks.registerFullBackwardPreHookForAllModules(types, hook);
  }

  /**
   * Sees the gradients of a block's inputs and outputs, and may replace the former.
   *
   * <p>Lists and arrays are the hook's own: they may be changed, closed and kept, the arrays as
   * long as the manager of the pass is open. An entry is null where there is no gradient.
   *
   * @param hook returns as many gradients of the inputs, of the same shapes; null keeps them
   * @return removes the hook
   */
  public static HookHandle registerFullBackwardHook(
      Block block, FullBackwardHook<Block, NDList> hook) {
    return Hooks.registerFullBackwardHook(block, hook);
  }

  /**
   * As {@link #registerFullBackwardHook(Block, FullBackwardHook)}, with options: first in its list,
   * called always, or replacing.
   */
  public static HookHandle registerFullBackwardHook(
      Block block, FullBackwardHook<Block, NDList> hook, HookOptions options) {
    return Hooks.registerFullBackwardHook(block, hook, options);
  }

  /**
   * As {@link #registerFullBackwardHook(Block, FullBackwardHook)}, on all blocks of a model that
   * {@code layers} means, under one handle.
   */
  public static HookHandle registerFullBackwardHook(
      Object model, String layers, FullBackwardHook<Block, NDList> hook) {
    return Hooks.registerFullBackwardHook(model, layers, hook);
  }

  /**
   * As {@link #registerFullBackwardHook(Block, FullBackwardHook)}, on all blocks of a model that
   * {@code layers} means, under one handle, with options.
   */
  public static HookHandle registerFullBackwardHook(
      Object model, String layers, FullBackwardHook<Block, NDList> hook, HookOptions options) {
    return Hooks.registerFullBackwardHook(model, layers, hook, options);
  }

  /**
   * As {@link #registerFullBackwardHook(Block, FullBackwardHook)}, on every block of this JVM,
   * before the hooks of the block.
   */
  public static HookHandle registerFullBackwardHookForAllModules(
      FullBackwardHook<Block, NDList> hook) {
    return Hooks.registerFullBackwardHookForAllModules(hook);
  }

  /**
   * As {@link #registerFullBackwardHook(Block, FullBackwardHook)}, on every block of this JVM whose
   * class {@code types} accepts.
   */
  public static HookHandle registerFullBackwardHookForAllModules(
      Predicate<Class<?>> types, FullBackwardHook<Block, NDList> hook) {
    return Hooks.registerFullBackwardHookForAllModules(types, hook);
  }

  /**
   * Sees the gradient of one array, and may replace it; as {@link Hooks#registerHook}.
   *
   * <p>The gradient is the hook's own: it may be changed, closed, and kept as long as the manager
   * of the pass is open.
   *
   * @param hook returns a gradient of the same shape; null keeps it
   * @return removes the hook
   */
  public static HookHandle registerHook(NDArray array, TensorHook<NDArray> hook) {
    return Hooks.registerHook(array, hook);
  }

  /** As {@link Hooks#retainGrad}. */
  public static void retainGrad(NDArray array) {
    Hooks.retainGrad(array);
  }

  /** As {@link Hooks#grad(Object, List)}. */
  public static List<@Nullable NDArray> grad(NDArray output, List<NDArray> inputs) {
    return Hooks.grad(output, inputs);
  }

  /** As {@link Hooks#grad(Object, Object, List, boolean)}. */
  public static List<@Nullable NDArray> grad(
      NDArray output, NDArray gradOutput, List<NDArray> inputs, boolean keepGraph) {
    return Hooks.grad(output, gradOutput, inputs, keepGraph);
  }

  /**
   * Is called when a backward has updated the gradient of a parameter. The array is the
   * parameter's: it stays open, and its {@code getGradient()} may be changed in place.
   *
   * @return removes the hook
   */
  public static HookHandle registerPostAccumulateGradHook(
      Parameter parameter, PostAccumulateGradHook<NDArray> hook) {
    return Hooks.registerPostAccumulateGradHook(parameter, hook);
  }

  /**
   * Is called when a backward has updated the gradient of a leaf. The array is the application's:
   * it stays open, and its {@code getGradient()} may be changed in place.
   *
   * @return removes the hook
   */
  public static HookHandle registerPostAccumulateGradHook(
      NDArray leaf, PostAccumulateGradHook<NDArray> hook) {
    return Hooks.registerPostAccumulateGradHook(leaf, hook);
  }
}
