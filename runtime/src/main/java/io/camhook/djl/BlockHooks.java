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

  /** See {@link Hooks#requireAgent}. */
  public static void requireAgent() {
    Hooks.requireAgent();
  }

  /**
   * Registers a hook that sees the inputs of a block before it runs, and may replace them.
   *
   * <p>The list is a copy: the hook may change it, and it counts only if it is returned. The arrays
   * belong to the model: the hook may use them as long as their manager is open, and must not close
   * them.
   *
   * @param hook returns the inputs to continue with; null keeps them
   * @return handle that removes the hook
   */
  public static HookHandle registerForwardPreHook(Block block, ForwardPreHook<Block, NDList> hook) {
    return Hooks.registerForwardPreHook(block, hook);
  }

  /** Like {@link #registerForwardPreHook(Block, ForwardPreHook)}, with options. */
  public static HookHandle registerForwardPreHook(
      Block block, ForwardPreHook<Block, NDList> hook, HookOptions options) {
    return Hooks.registerForwardPreHook(block, hook, options);
  }

  /**
   * Like {@link #registerForwardPreHook(Block, ForwardPreHook)}, on all blocks of a model that
   * match {@code layers}, with a single handle.
   */
  public static HookHandle registerForwardPreHook(
      Object model, String layers, ForwardPreHook<Block, NDList> hook) {
    return Hooks.registerForwardPreHook(model, layers, hook);
  }

  /**
   * Like {@link #registerForwardPreHook(Block, ForwardPreHook)}, on all blocks of a model that
   * match {@code layers}, with a single handle, with options.
   */
  public static HookHandle registerForwardPreHook(
      Object model, String layers, ForwardPreHook<Block, NDList> hook, HookOptions options) {
    return Hooks.registerForwardPreHook(model, layers, hook, options);
  }

  /**
   * Like {@link #registerForwardPreHook(Block, ForwardPreHook)}, on every block in this JVM; runs
   * before the block's own hooks.
   */
  public static HookHandle registerForwardPreHookForAllModules(ForwardPreHook<Block, NDList> hook) {
    return Hooks.registerForwardPreHookForAllModules(hook);
  }

  /**
   * Like {@link #registerForwardPreHook(Block, ForwardPreHook)}, on every block in this JVM whose
   * class is accepted by {@code types}.
   */
  public static HookHandle registerForwardPreHookForAllModules(
      Predicate<Class<?>> types, ForwardPreHook<Block, NDList> hook) {
    return Hooks.registerForwardPreHookForAllModules(types, hook);
  }

  /**
   * Like {@link #registerForwardPreHook(Block, ForwardPreHook, HookOptions)}, for a hook that also
   * sees {@code params}.
   */
  public static HookHandle registerForwardPreHookWithParams(
      Block block,
      ForwardPreHookWithParams<Block, NDList, PairList<String, Object>> hook,
      HookOptions options) {
    return Hooks.registerForwardPreHookWithParams(block, hook, options);
  }

  /**
   * Registers a hook that sees the inputs and outputs of a block, and may replace the outputs.
   *
   * <p>Both lists are copies: the hook may change them, and only the returned list counts. The
   * arrays belong to the model: the hook may use them as long as their manager is open, and must
   * not close them.
   *
   * @param hook returns the outputs that the caller gets; null keeps them
   * @return handle that removes the hook
   */
  public static HookHandle registerForwardHook(Block block, ForwardHook<Block, NDList> hook) {
    return Hooks.registerForwardHook(block, hook);
  }

  /** Like {@link #registerForwardHook(Block, ForwardHook)}, with options. */
  public static HookHandle registerForwardHook(
      Block block, ForwardHook<Block, NDList> hook, HookOptions options) {
    return Hooks.registerForwardHook(block, hook, options);
  }

  /**
   * Like {@link #registerForwardHook(Block, ForwardHook)}, on all blocks of a model that match
   * {@code layers}, with a single handle.
   */
  public static HookHandle registerForwardHook(
      Object model, String layers, ForwardHook<Block, NDList> hook) {
    return Hooks.registerForwardHook(model, layers, hook);
  }

  /**
   * Like {@link #registerForwardHook(Block, ForwardHook)}, on all blocks of a model that match
   * {@code layers}, with a single handle, with options.
   */
  public static HookHandle registerForwardHook(
      Object model, String layers, ForwardHook<Block, NDList> hook, HookOptions options) {
    return Hooks.registerForwardHook(model, layers, hook, options);
  }

  /**
   * Like {@link #registerForwardHook(Block, ForwardHook)}, on every block in this JVM; runs before
   * the block's own hooks.
   */
  public static HookHandle registerForwardHookForAllModules(ForwardHook<Block, NDList> hook) {
    return Hooks.registerForwardHookForAllModules(hook);
  }

  /**
   * Like {@link #registerForwardHook(Block, ForwardHook)}, on every block in this JVM whose class
   * is accepted by {@code types}.
   */
  public static HookHandle registerForwardHookForAllModules(
      Predicate<Class<?>> types, ForwardHook<Block, NDList> hook, HookOptions options) {
    return Hooks.registerForwardHookForAllModules(types, hook, options);
  }

  /**
   * Like {@link #registerForwardHook(Block, ForwardHook, HookOptions)}, for a hook that also sees
   * {@code params}.
   */
  public static HookHandle registerForwardHookWithParams(
      Block block,
      ForwardHookWithParams<Block, NDList, PairList<String, Object>> hook,
      HookOptions options) {
    return Hooks.registerForwardHookWithParams(block, hook, options);
  }

  /**
   * Registers a hook that sees the gradients of a block's outputs, and may replace them.
   *
   * <p>The list and its arrays belong to the hook, which may change, close and keep them; the
   * arrays stay open as long as the manager of the pass.
   *
   * @param hook returns the same number of gradients with the same shapes; null keeps them
   * @return handle that removes the hook
   */
  public static HookHandle registerFullBackwardPreHook(
      Block block, FullBackwardPreHook<Block, NDList> hook) {
    return Hooks.registerFullBackwardPreHook(block, hook);
  }

  /** Like {@link #registerFullBackwardPreHook(Block, FullBackwardPreHook)}, with options. */
  public static HookHandle registerFullBackwardPreHook(
      Block block, FullBackwardPreHook<Block, NDList> hook, HookOptions options) {
    return Hooks.registerFullBackwardPreHook(block, hook, options);
  }

  /**
   * Like {@link #registerFullBackwardPreHook(Block, FullBackwardPreHook)}, on all blocks of a model
   * that match {@code layers}, with a single handle.
   */
  public static HookHandle registerFullBackwardPreHook(
      Object model, String layers, FullBackwardPreHook<Block, NDList> hook) {
    return Hooks.registerFullBackwardPreHook(model, layers, hook);
  }

  /**
   * Like {@link #registerFullBackwardPreHook(Block, FullBackwardPreHook)}, on all blocks of a model
   * that match {@code layers}, with a single handle, with options.
   */
  public static HookHandle registerFullBackwardPreHook(
      Object model, String layers, FullBackwardPreHook<Block, NDList> hook, HookOptions options) {
    return Hooks.registerFullBackwardPreHook(model, layers, hook, options);
  }

  /**
   * Like {@link #registerFullBackwardPreHook(Block, FullBackwardPreHook)}, on every block in this
   * JVM; runs before the block's own hooks.
   */
  public static HookHandle registerFullBackwardPreHookForAllModules(
      FullBackwardPreHook<Block, NDList> hook) {
    return Hooks.registerFullBackwardPreHookForAllModules(hook);
  }

  /**
   * Like {@link #registerFullBackwardPreHook(Block, FullBackwardPreHook)}, on every block in this
   * JVM whose class is accepted by {@code types}.
   */
  public static HookHandle registerFullBackwardPreHookForAllModules(
      Predicate<Class<?>> types, FullBackwardPreHook<Block, NDList> hook) {
    return Hooks.registerFullBackwardPreHookForAllModules(types, hook);
  }

  /**
   * Registers a hook that sees the gradients of a block's inputs and outputs, and may replace those
   * of the inputs.
   *
   * <p>The lists and their arrays belong to the hook, which may change, close and keep them; the
   * arrays stay open as long as the manager of the pass. An entry without gradient is null.
   *
   * @param hook returns the same number of input gradients with the same shapes; null keeps them
   * @return handle that removes the hook
   */
  public static HookHandle registerFullBackwardHook(
      Block block, FullBackwardHook<Block, NDList> hook) {
    return Hooks.registerFullBackwardHook(block, hook);
  }

  /** Like {@link #registerFullBackwardHook(Block, FullBackwardHook)}, with options. */
  public static HookHandle registerFullBackwardHook(
      Block block, FullBackwardHook<Block, NDList> hook, HookOptions options) {
    return Hooks.registerFullBackwardHook(block, hook, options);
  }

  /**
   * Like {@link #registerFullBackwardHook(Block, FullBackwardHook)}, on all blocks of a model that
   * match {@code layers}, with a single handle.
   */
  public static HookHandle registerFullBackwardHook(
      Object model, String layers, FullBackwardHook<Block, NDList> hook) {
    return Hooks.registerFullBackwardHook(model, layers, hook);
  }

  /**
   * Like {@link #registerFullBackwardHook(Block, FullBackwardHook)}, on all blocks of a model that
   * match {@code layers}, with a single handle, with options.
   */
  public static HookHandle registerFullBackwardHook(
      Object model, String layers, FullBackwardHook<Block, NDList> hook, HookOptions options) {
    return Hooks.registerFullBackwardHook(model, layers, hook, options);
  }

  /**
   * Like {@link #registerFullBackwardHook(Block, FullBackwardHook)}, on every block in this JVM;
   * runs before the block's own hooks.
   */
  public static HookHandle registerFullBackwardHookForAllModules(
      FullBackwardHook<Block, NDList> hook) {
    return Hooks.registerFullBackwardHookForAllModules(hook);
  }

  /**
   * Like {@link #registerFullBackwardHook(Block, FullBackwardHook)}, on every block in this JVM
   * whose class is accepted by {@code types}.
   */
  public static HookHandle registerFullBackwardHookForAllModules(
      Predicate<Class<?>> types, FullBackwardHook<Block, NDList> hook) {
    return Hooks.registerFullBackwardHookForAllModules(types, hook);
  }

  /**
   * As {@link Hooks#register(Object, Object, HookOptions)}: an object as every kind of hook that it
   * is.
   *
   * @return removes the hook
   */
  public static HookHandle register(Block block, Object hook, HookOptions options) {
    return Hooks.register(block, hook, options);
  }

  /**
   * As {@link #register(Block, Object, HookOptions)}, on all blocks of a model that {@code layers}
   * means.
   *
   * @return removes the hook
   */
  public static HookHandle register(Object model, String layers, Object hook, HookOptions options) {
    return Hooks.register(model, layers, hook, options);
  }

  /**
   * Registers a hook that sees the gradient of one array, and may replace it; see {@link
   * Hooks#registerHook}.
   *
   * <p>The gradient belongs to the hook, which may change, close and keep it; it stays open as long
   * as the manager of the pass.
   *
   * @param hook returns a gradient of the same shape; null keeps it
   * @return handle that removes the hook
   */
  public static HookHandle registerHook(NDArray array, TensorHook<NDArray> hook) {
    return Hooks.registerHook(array, hook);
  }

  /** See {@link Hooks#retainGrad}. */
  public static void retainGrad(NDArray array) {
    Hooks.retainGrad(array);
  }

  /** See {@link Hooks#grad(Object, List)}. */
  public static List<@Nullable NDArray> grad(NDArray output, List<NDArray> inputs) {
    return Hooks.grad(output, inputs);
  }

  /** See {@link Hooks#grad(Object, Object, List, boolean)}. */
  public static List<@Nullable NDArray> grad(
      NDArray output, NDArray gradOutput, List<NDArray> inputs, boolean keepGraph) {
    return Hooks.grad(output, gradOutput, inputs, keepGraph);
  }

  /**
   * Registers a hook that runs after a backward has updated the gradient of a parameter. The array
   * belongs to the parameter: it must stay open, but its {@code getGradient()} may be changed in
   * place.
   *
   * @return handle that removes the hook
   */
  public static HookHandle registerPostAccumulateGradHook(
      Parameter parameter, PostAccumulateGradHook<NDArray> hook) {
    return Hooks.registerPostAccumulateGradHook(parameter, hook);
  }

  /**
   * Registers a hook that runs after a backward has updated the gradient of a leaf. The array
   * belongs to the application: it must stay open, but its {@code getGradient()} may be changed in
   * place.
   *
   * @return handle that removes the hook
   */
  public static HookHandle registerPostAccumulateGradHook(
      NDArray leaf, PostAccumulateGradHook<NDArray> hook) {
    return Hooks.registerPostAccumulateGradHook(leaf, hook);
  }
}
