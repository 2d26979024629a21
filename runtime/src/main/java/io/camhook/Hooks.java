package io.camhook;

import io.camhook.dispatch.Dispatch;
import io.camhook.dispatch.EngineCalls;
import io.camhook.dispatch.HookEntry;
import io.camhook.dispatch.HookKind;
import io.camhook.dispatch.HookTable;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Registers hooks under PyTorch's rules. {@code M} is the engine's module, {@code T} its list of
 * tensors and {@code A} its tensor: for DJL {@code Block}, {@code NDList} and {@code NDArray}.
 * Lambdas with explicit parameter types are checked at compile time; {@code
 * io.camhook.djl.BlockHooks} offers the same methods with DJL's types filled in.
 *
 * <p>Order: a forward pass runs global pre hooks, the module's pre hooks, the module, global
 * forward hooks, and then the module's forward hooks. A backward pass runs global hooks before the
 * module's. Within each group hooks run in the order of registration, {@linkplain
 * HookOptions#prepend prepended} ones first. Each list of hooks is read when its turn comes; which
 * backward hooks run is decided when the module is called.
 *
 * <p>The lists passed to a hook are copies: it may change them, and only its return value counts.
 * Tensors of a forward pass belong to the model: a hook may keep them but must not close them.
 * Gradients belong to the hook, which may change, close or keep them.
 *
 * <p>An exception thrown by a hook ends the pass and reaches the caller. All methods are
 * thread-safe. Without the agent they throw an {@link IllegalStateException} that names the missing
 * flag.
 */
public final class Hooks {
  private Hooks() {}

  /**
   * Checks that the agent is present; attaches it if {@code -Dcamhook.selfAttach=true} asks for
   * that.
   *
   * @throws IllegalStateException if it is not present; the message names the missing flag
   */
  public static void requireAgent() {
    Agent.require();
  }

  /**
   * Registers a hook that sees the inputs of a module before it runs, and may replace them: see
   * {@link ForwardPreHook}.
   *
   * @return handle that removes the hook
   */
  public static <M, T> HookHandle registerForwardPreHook(
      M module, ForwardPreHook<? super M, T> hook) {
    return registerForwardPreHook(module, hook, HookOptions.DEFAULT);
  }

  /**
   * Registers a hook that sees the inputs of a module before it runs, and may replace them: see
   * {@link ForwardPreHook}. With options.
   *
   * @return handle that removes the hook
   */
  public static <M, T> HookHandle registerForwardPreHook(
      M module, ForwardPreHook<? super M, T> hook, HookOptions options) {
    return add(HookKind.FORWARD_PRE, module, hook, options);
  }

  /**
   * As {@link #registerForwardPreHook(Object, ForwardPreHook, HookOptions)}; the hook sees {@code
   * params} too.
   *
   * @return handle that removes the hook
   */
  public static <M, T, P> HookHandle registerForwardPreHookWithParams(
      M module, ForwardPreHookWithParams<? super M, T, P> hook, HookOptions options) {
    return add(HookKind.FORWARD_PRE_WITH_PARAMS, module, hook, options);
  }

  /**
   * Registers a hook that sees the inputs and outputs of a module, and may replace the outputs: see
   * {@link ForwardHook}.
   *
   * @return handle that removes the hook
   */
  public static <M, T> HookHandle registerForwardHook(M module, ForwardHook<? super M, T> hook) {
    return registerForwardHook(module, hook, HookOptions.DEFAULT);
  }

  /**
   * Registers a hook that sees the inputs and outputs of a module, and may replace the outputs: see
   * {@link ForwardHook}. With options.
   *
   * @return handle that removes the hook
   */
  public static <M, T> HookHandle registerForwardHook(
      M module, ForwardHook<? super M, T> hook, HookOptions options) {
    return add(HookKind.FORWARD, module, hook, options);
  }

  /**
   * As {@link #registerForwardHook(Object, ForwardHook, HookOptions)}; the hook sees {@code params}
   * too.
   *
   * @return handle that removes the hook
   */
  public static <M, T, P> HookHandle registerForwardHookWithParams(
      M module, ForwardHookWithParams<? super M, T, P> hook, HookOptions options) {
    return add(HookKind.FORWARD_WITH_PARAMS, module, hook, options);
  }

  /**
   * Registers a hook that sees the gradients of a module's outputs, and may replace them: see
   * {@link FullBackwardPreHook}.
   *
   * @return handle that removes the hook
   */
  public static <M, T> HookHandle registerFullBackwardPreHook(
      M module, FullBackwardPreHook<? super M, T> hook) {
    return registerFullBackwardPreHook(module, hook, HookOptions.DEFAULT);
  }

  /**
   * Registers a hook that sees the gradients of a module's outputs, and may replace them: see
   * {@link FullBackwardPreHook}. With options.
   *
   * @return handle that removes the hook
   */
  public static <M, T> HookHandle registerFullBackwardPreHook(
      M module, FullBackwardPreHook<? super M, T> hook, HookOptions options) {
    return add(HookKind.BACKWARD_PRE, module, hook, options);
  }

  /**
   * Registers a hook that sees the gradients of a module's inputs and outputs, and may replace
   * those of the inputs: see {@link FullBackwardHook}.
   *
   * @return handle that removes the hook
   */
  public static <M, T> HookHandle registerFullBackwardHook(
      M module, FullBackwardHook<? super M, T> hook) {
    return registerFullBackwardHook(module, hook, HookOptions.DEFAULT);
  }

  /**
   * Registers a hook that sees the gradients of a module's inputs and outputs, and may replace
   * those of the inputs: see {@link FullBackwardHook}. With options.
   *
   * @return handle that removes the hook
   */
  public static <M, T> HookHandle registerFullBackwardHook(
      M module, FullBackwardHook<? super M, T> hook, HookOptions options) {
    return add(HookKind.BACKWARD, module, hook, options);
  }

  /** Registers a hook on all modules of a model that match {@code layers}, a path or a glob. */
  public static <M, T> HookHandle registerForwardPreHook(
      Object model, String layers, ForwardPreHook<M, T> hook) {
    return addToLayers(HookKind.FORWARD_PRE, model, layers, hook, HookOptions.DEFAULT);
  }

  /** The same, with options. */
  public static <M, T> HookHandle registerForwardPreHook(
      Object model, String layers, ForwardPreHook<M, T> hook, HookOptions options) {
    return addToLayers(HookKind.FORWARD_PRE, model, layers, hook, options);
  }

  /** Registers a hook on all modules of a model that match {@code layers}, a path or a glob. */
  public static <M, T> HookHandle registerForwardHook(
      Object model, String layers, ForwardHook<M, T> hook) {
    return addToLayers(HookKind.FORWARD, model, layers, hook, HookOptions.DEFAULT);
  }

  /** The same, with options. */
  public static <M, T> HookHandle registerForwardHook(
      Object model, String layers, ForwardHook<M, T> hook, HookOptions options) {
    return addToLayers(HookKind.FORWARD, model, layers, hook, options);
  }

  /** Registers a hook on all modules of a model that match {@code layers}, a path or a glob. */
  public static <M, T> HookHandle registerFullBackwardPreHook(
      Object model, String layers, FullBackwardPreHook<M, T> hook) {
    return addToLayers(HookKind.BACKWARD_PRE, model, layers, hook, HookOptions.DEFAULT);
  }

  /** The same, with options. */
  public static <M, T> HookHandle registerFullBackwardPreHook(
      Object model, String layers, FullBackwardPreHook<M, T> hook, HookOptions options) {
    return addToLayers(HookKind.BACKWARD_PRE, model, layers, hook, options);
  }

  /** Registers a hook on all modules of a model that match {@code layers}, a path or a glob. */
  public static <M, T> HookHandle registerFullBackwardHook(
      Object model, String layers, FullBackwardHook<M, T> hook) {
    return addToLayers(HookKind.BACKWARD, model, layers, hook, HookOptions.DEFAULT);
  }

  /** The same, with options. */
  public static <M, T> HookHandle registerFullBackwardHook(
      Object model, String layers, FullBackwardHook<M, T> hook, HookOptions options) {
    return addToLayers(HookKind.BACKWARD, model, layers, hook, options);
  }

  /**
   * Registers a global {@link ForwardPreHook} for every module in this JVM.
   *
   * @return handle that removes the hook
   */
  public static <M, T> HookHandle registerForwardPreHookForAllModules(ForwardPreHook<M, T> hook) {
    return registerForwardPreHookForAllModules(type -> true, hook);
  }

  /**
   * Registers a global {@link ForwardHook} for every module in this JVM.
   *
   * @return handle that removes the hook
   */
  public static <M, T> HookHandle registerForwardHookForAllModules(ForwardHook<M, T> hook) {
    return registerForwardHookForAllModules(type -> true, hook, HookOptions.DEFAULT);
  }

  /**
   * Registers a global {@link FullBackwardPreHook} for every module in this JVM.
   *
   * @return handle that removes the hook
   */
  public static <M, T> HookHandle registerFullBackwardPreHookForAllModules(
      FullBackwardPreHook<M, T> hook) {
    return registerFullBackwardPreHookForAllModules(type -> true, hook);
  }

  /**
   * Registers a global {@link FullBackwardHook} for every module in this JVM.
   *
   * @return handle that removes the hook
   */
  public static <M, T> HookHandle registerFullBackwardHookForAllModules(
      FullBackwardHook<M, T> hook) {
    return registerFullBackwardHookForAllModules(type -> true, hook);
  }

  /** Registers a global hook for the modules whose class is accepted by {@code types}. */
  public static <M, T> HookHandle registerForwardPreHookForAllModules(
      Predicate<Class<?>> types, ForwardPreHook<M, T> hook) {
    return addGlobal(HookKind.FORWARD_PRE, types, hook, HookOptions.DEFAULT);
  }

  /** Registers a global hook for the modules whose class is accepted by {@code types}. */
  public static <M, T> HookHandle registerForwardHookForAllModules(
      Predicate<Class<?>> types, ForwardHook<M, T> hook, HookOptions options) {
    return addGlobal(HookKind.FORWARD, types, hook, options);
  }

  /** Registers a global hook for the modules whose class is accepted by {@code types}. */
  public static <M, T> HookHandle registerFullBackwardPreHookForAllModules(
      Predicate<Class<?>> types, FullBackwardPreHook<M, T> hook) {
    return addGlobal(HookKind.BACKWARD_PRE, types, hook, HookOptions.DEFAULT);
  }

  /** Registers a global hook for the modules whose class is accepted by {@code types}. */
  public static <M, T> HookHandle registerFullBackwardHookForAllModules(
      Predicate<Class<?>> types, FullBackwardHook<M, T> hook) {
    return addGlobal(HookKind.BACKWARD, types, hook, HookOptions.DEFAULT);
  }

  /**
   * Registers a hook for the gradient of one tensor. It belongs to the tensor's current value, as
   * in PyTorch.
   *
   * @throws IllegalStateException if the tensor requires no gradient
   */
  public static <A> HookHandle registerHook(A tensor, TensorHook<A> hook) {
    Registration.require("a " + HookKind.TENSOR.text(), "tensor", tensor, hook);
    HookEntry entry = new HookEntry(HookKind.TENSOR, hook);
    return new Registration(
        HookKind.TENSOR.text(), hook, "a tensor", engineOf(tensor).tensorHook(tensor, entry));
  }

  /**
   * {@code Tensor.retain_grad}: makes a non-leaf tensor keep its gradient. A backward adds the
   * gradient to the tensor's {@code .grad} ({@code getGradient()} in DJL) after all of the tensor's
   * hooks have run, no matter when they were registered. Leaves have a {@code .grad} in any case.
   *
   * @throws IllegalStateException if the tensor requires no gradient
   */
  public static void retainGrad(Object tensor) {
    engineOf(tensor).retainGrad(tensor);
  }

  /**
   * Like {@link #grad(Object, Object, List, boolean)} with an output gradient of ones; the graph is
   * consumed.
   *
   * @param output of any shape; with several elements, their sum is differentiated
   */
  public static <A> List<@Nullable A> grad(A output, List<A> inputs) {
    return gradient(output, null, inputs, false);
  }

  /**
   * {@code torch.autograd.grad} with {@code allow_unused}: computes the gradients with respect to
   * {@code inputs}, which may be leaves or results of operators. Only hooks on the paths to them
   * run, the results are the values returned by the inputs' tensor hooks, and no leaf's {@code
   * .grad} changes.
   *
   * @param output the tensor to differentiate
   * @param gradOutput gradient at the output, with its shape
   * @param keepGraph whether the graph can be differentiated again
   * @return one entry per input, with its shape; null if the output does not depend on it
   * @throws IllegalStateException if the output or an input requires no gradient
   */
  public static <A> List<@Nullable A> grad(
      A output, A gradOutput, List<A> inputs, boolean keepGraph) {
    return gradient(output, gradOutput, inputs, keepGraph);
  }

  @SuppressWarnings("unchecked")
  private static <A> List<@Nullable A> gradient(
      A output, @Nullable A gradOutput, List<A> inputs, boolean keepGraph) {
    return (List<@Nullable A>) engineOf(output).grad(output, gradOutput, inputs, keepGraph);
  }

  /**
   * Registers a hook that runs after a backward has updated the {@code .grad} of a leaf.
   *
   * @param leaf a leaf tensor, or a module's parameter
   * @throws IllegalStateException if it is not a leaf or requires no gradient
   */
  public static <A> HookHandle registerPostAccumulateGradHook(
      Object leaf, PostAccumulateGradHook<A> hook) {
    Registration.require("a " + HookKind.POST_ACCUMULATE.text(), "leaf", leaf, hook);
    HookEntry entry = new HookEntry(HookKind.POST_ACCUMULATE, hook);
    return new Registration(
        HookKind.POST_ACCUMULATE.text(),
        hook,
        "a leaf",
        engineOf(leaf).postAccumulateHook(leaf, entry));
  }

  /**
   * Registers an object as every kind of module hook that it is, as the YAML does with a class.
   *
   * @param hook implements one or several of {@link ForwardPreHook}, {@link ForwardHook}, {@link
   *     FullBackwardPreHook}, {@link FullBackwardHook}, for the engine's types. A hook that also
   *     implements the form with parameters, {@link ForwardHookWithParams} or {@link
   *     ForwardPreHookWithParams}, runs in that form
   * @param options {@code alwaysCall} and {@code replaces} count for its forward kinds
   * @return removes the hook
   * @throws IllegalArgumentException if it is none of them
   */
  public static HookHandle register(Object module, Object hook, HookOptions options) {
    return ofEachKind(hook, options, (kind, own) -> add(kind, module, hook, own));
  }

  /** The same on all modules of a model that {@code layers} means, a path or a glob. */
  public static HookHandle register(Object model, String layers, Object hook, HookOptions options) {
    return ofEachKind(hook, options, (kind, own) -> addToLayers(kind, model, layers, hook, own));
  }

  private static HookHandle ofEachKind(
      Object hook,
      HookOptions options,
      BiFunction<HookKind, HookOptions, HookHandle> registration) {
    if (hook == null) {
      throw new NullPointerException("a hook was to be registered, but it is null");
    }
    List<HookKind> kinds = HookKind.of(hook);
    if (kinds.isEmpty()) {
      throw new IllegalArgumentException(
          "expected a hook that implements io.camhook.%s, found %s"
              .formatted(HookKind.types(), hook.getClass().getName()));
    }
    List<HookHandle> handles = new ArrayList<>();
    try {
      for (HookKind kind : kinds) {
        boolean always = options.alwaysCall() && kind.isMeantToRunAlways(kinds);
        boolean replaces = options.replaces() && kind.isMeantToReplace(kinds);
        handles.add(registration.apply(kind, new HookOptions(options.prepend(), always, replaces)));
      }
    } catch (RuntimeException e) {
      handles.forEach(HookHandle::remove); // all or none
      throw e;
    }
    return Registration.of(handles);
  }

  private static HookHandle add(HookKind kind, Object module, Object hook, HookOptions options) {
    Agent.require();
    Registration.require("a " + kind.text(), "module", module, hook);
    HookEntry entry = entry(kind, hook, options, null);
    EngineCalls engine = Dispatch.engineOf(module);
    if (engine != null) {
      engine.checkHook(module, entry);
    }
    Runnable removal = HookTable.add(module, entry, options.prepend());
    return new Registration(kind.text(), hook, Registration.name(module), removal);
  }

  private static HookEntry entry(
      HookKind kind, Object hook, HookOptions options, @Nullable Predicate<Object> modules) {
    if (options.alwaysCall() && !kind.moment().comesAfterFailure()) {
      throw new IllegalArgumentException(
          "a %s cannot be called always: alwaysCall is for forward hooks, which then also run when forward failed; leave it out"
              .formatted(kind.text()));
    }
    return new HookEntry(kind, hook, options.alwaysCall(), options.replaces(), modules);
  }

  private static HookHandle addToLayers(
      HookKind kind, Object model, String layers, Object hook, HookOptions options) {
    Agent.require();
    Registration.require("a " + kind.text(), "model", model, hook);
    if (layers == null) {
      throw new NullPointerException(
          "a %s needs to know its layers, found null: give a path or a glob, '**' for every layer"
              .formatted(kind.text()));
    }
    List<Object> plain = Dispatch.plainModules(model, layers);
    List<Object> modules = plain == null ? engineOf(model).modules(model, layers) : plain;
    List<HookHandle> handles =
        modules.stream().map(module -> add(kind, module, hook, options)).toList();
    return new Registration(
        kind.text(),
        hook,
        "%d layers '%s' of %s".formatted(handles.size(), layers, Registration.name(model)),
        () -> handles.forEach(HookHandle::remove));
  }

  private static HookHandle addGlobal(
      HookKind kind, Predicate<Class<?>> types, Object hook, HookOptions options) {
    Agent.require();
    Registration.require("a global " + kind.text(), "predicate of classes", types, hook);
    HookEntry entry = entry(kind, hook, options, module -> types.test(module.getClass()));
    Runnable removal = HookTable.add(null, entry, options.prepend());
    return new Registration(kind.text(), hook, "all modules", removal);
  }

  private static EngineCalls engineOf(Object object) {
    Agent.require();
    if (object == null) {
      throw new NullPointerException("expected a tensor or a model of an engine, found null");
    }
    EngineCalls engine = Dispatch.engineOf(object);
    if (engine == null) {
      throw new IllegalArgumentException(
          "expected an object of an engine that camhook has an adapter for (DJL), or a plain"
              + " network that the configuration names by class; found "
              + object.getClass().getName());
    }
    return engine;
  }
}
