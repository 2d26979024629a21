package io.camhook.djl;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import io.camhook.ForwardHook;
import io.camhook.ForwardPreHook;
import io.camhook.FullBackwardHook;
import io.camhook.FullBackwardPreHook;
import io.camhook.HookHandle;
import io.camhook.HookOptions;
import io.camhook.Hooks;
import io.camhook.PostAccumulateGradHook;
import io.camhook.TensorHook;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** {@link Hooks} with DJL's types filled in, so that untyped lambdas compile. Same rules. */
public final class BlockHooks {
  private BlockHooks() {}

  public static HookHandle registerForwardPreHook(Block block, ForwardPreHook<Block, NDList> hook) {
    return Hooks.registerForwardPreHook(block, hook);
  }

  public static HookHandle registerForwardPreHook(
      Block block, ForwardPreHook<Block, NDList> hook, HookOptions options) {
    return Hooks.registerForwardPreHook(block, hook, options);
  }

  public static HookHandle registerForwardHook(Block block, ForwardHook<Block, NDList> hook) {
    return Hooks.registerForwardHook(block, hook);
  }

  public static HookHandle registerForwardHook(
      Block block, ForwardHook<Block, NDList> hook, HookOptions options) {
    return Hooks.registerForwardHook(block, hook, options);
  }

  public static HookHandle registerFullBackwardPreHook(
      Block block, FullBackwardPreHook<Block, NDList> hook) {
    return Hooks.registerFullBackwardPreHook(block, hook);
  }

  public static HookHandle registerFullBackwardHook(
      Block block, FullBackwardHook<Block, NDList> hook) {
    return Hooks.registerFullBackwardHook(block, hook);
  }

  /** The same hook on all modules of a model that {@code layers} means, a path or a glob. */
  public static HookHandle registerForwardPreHook(
      Object model, String layers, ForwardPreHook<Block, NDList> hook) {
    return Hooks.registerForwardPreHook(model, layers, hook);
  }

  /** The same, with options. */
  public static HookHandle registerForwardPreHook(
      Object model, String layers, ForwardPreHook<Block, NDList> hook, HookOptions options) {
    return Hooks.registerForwardPreHook(model, layers, hook, options);
  }

  /** The same hook on all modules of a model that {@code layers} means, a path or a glob. */
  public static HookHandle registerForwardHook(
      Object model, String layers, ForwardHook<Block, NDList> hook) {
    return Hooks.registerForwardHook(model, layers, hook);
  }

  /** The same, with options. */
  public static HookHandle registerForwardHook(
      Object model, String layers, ForwardHook<Block, NDList> hook, HookOptions options) {
    return Hooks.registerForwardHook(model, layers, hook, options);
  }

  /** The same hook on all modules of a model that {@code layers} means, a path or a glob. */
  public static HookHandle registerFullBackwardPreHook(
      Object model, String layers, FullBackwardPreHook<Block, NDList> hook) {
    return Hooks.registerFullBackwardPreHook(model, layers, hook);
  }

  /** The same hook on all modules of a model that {@code layers} means, a path or a glob. */
  public static HookHandle registerFullBackwardHook(
      Object model, String layers, FullBackwardHook<Block, NDList> hook) {
    return Hooks.registerFullBackwardHook(model, layers, hook);
  }

  public static HookHandle registerHook(NDArray array, TensorHook<NDArray> hook) {
    return Hooks.registerHook(array, hook);
  }

  public static void retainGrad(NDArray array) {
    Hooks.retainGrad(array);
  }

  public static List<@Nullable NDArray> grad(NDArray output, List<NDArray> inputs) {
    return Hooks.grad(output, inputs);
  }

  public static List<@Nullable NDArray> grad(
      NDArray output, NDArray gradOutput, List<NDArray> inputs, boolean keepGraph) {
    return Hooks.grad(output, gradOutput, inputs, keepGraph);
  }

  public static HookHandle registerPostAccumulateGradHook(
      Parameter parameter, PostAccumulateGradHook<NDArray> hook) {
    return Hooks.registerPostAccumulateGradHook(parameter, hook);
  }
}
