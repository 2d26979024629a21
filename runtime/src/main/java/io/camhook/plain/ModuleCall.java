package io.camhook.plain;

import io.camhook.config.Place;
import io.camhook.dispatch.HookEntry;
import io.camhook.dispatch.HookMoment;
import io.camhook.dispatch.HookTable;
import io.camhook.dispatch.UserFailure;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** One call of one module: runs its hooks and adds its values to the pass being captured. */
final class ModuleCall implements PlainCall {
  private static final Object[] NONE = {};

  private final ThreadCalls thread;
  private final HookedNetwork network;
  private final Object module;
  private final boolean backward;
  private final @Nullable Object root;
  private final boolean outermost;
  private final List<String> methods = new ArrayList<>(2);
  private final String path;
  private Object[] arguments = NONE;

  ModuleCall(
      ThreadCalls thread,
      HookedNetwork network,
      Object module,
      boolean backward,
      String method,
      @Nullable Object root) {
    this.thread = thread;
    this.network = network;
    this.module = module;
    this.backward = backward;
    this.root = root;
    this.outermost = thread.isOutermost();
    this.path = name();
    methods.add(method);
  }

  private String name() {
    try {
      return network.names().pathOf(module, root);
    } catch (RuntimeException e) {
      thread.networks().failed("a module of " + network.name() + " could not be named", e);
      return module.getClass().getSimpleName();
    }
  }

  @Nullable Object root() {
    return root;
  }

  /** Whether a method that begins is part of this call: super.forward, or another overload. */
  boolean isPartOf(HookedNetwork network, Object module, boolean backward, String method) {
    return this.module == module
        && this.network == network
        && this.backward == backward
        && !methods.contains(method);
  }

  PlainCall part(String method) {
    methods.add(method);
    return new Part(method);
  }

  private final class Part implements PlainCall {
    private final String method;

    Part(String method) {
      this.method = method;
    }

    @Override
    public void before(Object[] arguments) {}

    @Override
    public @Nullable Object after(@Nullable Object result, @Nullable Throwable thrown) {
      methods.remove(method);
      return result;
    }
  }

  @Override
  public void before(Object[] arguments) {
    this.arguments = arguments;
    Place place = backward ? network.gradOutput(module) : network.input(module);
    try {
      Object value = network.valueAt(place, module, arguments, null);
      Object current = replaced(value, place, runBefore(value));
      noteLayer(current);
      if (current != null) {
        note(current);
      }
    } catch (Throwable e) {
      thread.pop(this);
      runAlwaysCalled(null, hooks(), e);
      throw e;
    }
  }

  private @Nullable Object runBefore(@Nullable Object value) {
    Object current = value;
    for (PlainHook hook : hooks()) {
      Object given = current;
      Object replacement =
          ofUser(
              () ->
                  backward
                      ? hook.beforeBackward(described(), given)
                      : hook.beforeForward(described(), given));
      current = replacement == null ? current : replacement;
    }
    return current;
  }

  private @Nullable Object replaced(
      @Nullable Object value, Place place, @Nullable Object replacement) {
    if (value == null || replacement == null || replacement == value) {
      return value;
    }
    requireSameKind(value, replacement);
    if (place.kind() == Place.Kind.ARGUMENT && place.isWhole()) {
      arguments[network.argument(place, module, arguments)] = replacement;
    } else {
      overwrite(place, value, replacement);
    }
    return replacement;
  }

  /** If a value does not fit, that is the hook's mistake. */
  private void overwrite(Place place, Object value, Object replacement) {
    if (place.isGathered()) {
      throw UserFailure.of(
          new IllegalArgumentException(
              "%s of %s is put together from elements: a hook can look at it and not replace it"
                  .formatted(place.member(), described())));
    }
    try {
      network.tensors(module).overwrite(value, replacement);
    } catch (IllegalArgumentException e) {
      UserFailure.mark(e);
      throw e;
    }
  }

  private void noteLayer(@Nullable Object input) {
    PlainPass pass = thread.pass();
    if (pass == null || backward || isRoot()) {
      return;
    }
    try {
      pass.begin(module, input);
    } catch (Throwable e) {
      thread.networks().recorder().checkMemory(e);
      thread.networks().failed(network.name() + ": layer " + path + " could not be noted", e);
    }
  }

  private void note(Object value) {
    PlainPass pass = thread.pass();
    LayerGradients own = thread.ownBackward();
    try {
      if (backward && own != null) {
        own.add(path, module, value);
      } else if (backward) {
        thread.gradient(network, path, module, value);
      } else if (pass != null && isRoot()) {
        pass.input(value, module);
      }
    } catch (Throwable e) {
      thread.networks().recorder().checkMemory(e);
      thread.networks().failed(network.name() + ": layer " + path + " could not be recorded", e);
    }
  }

  @Override
  public @Nullable Object after(@Nullable Object result, @Nullable Throwable thrown) {
    PlainPass pass = thread.pass();
    thread.pop(this);
    if (backward) {
      if (thread.ownBackward() != null) {
        return result; // no hook sees it; its caller reads what it leaves
      }
      thread.backwardEnded(network, module);
    }
    if (thrown != null) {
      runAlwaysCalled(null, hooks(), thrown);
      return result;
    }
    Place place = backward ? network.gradInput(module) : network.output(module);
    Object value = network.valueAt(place, module, arguments, result);
    Object current = runAfter(value);
    if (!backward && pass != null) {
      if (current != null) {
        finish(pass, current);
      } else if (isRoot()) {
        thread.networks().lost(network, noTensor(place, result));
      }
    }
    if (value == null || current == null || current == value) {
      return result;
    }
    requireSameKind(value, current);
    if (place.kind() == Place.Kind.RETURN && place.isWhole()) {
      return current;
    }
    overwrite(place, value, current);
    return result;
  }

  /** Exceptions here are the application's. */
  private static @Nullable Object ofUser(Supplier<@Nullable Object> hook) {
    try {
      return hook.get();
    } catch (Throwable e) {
      UserFailure.mark(e);
      throw e;
    }
  }

  private @Nullable Object runAfter(@Nullable Object value) {
    List<PlainHook> hooks = hooks();
    if (hooks.isEmpty()) {
      return value;
    }
    Object from = given();
    Object current = value;
    int next = 0;
    try {
      while (next < hooks.size()) {
        PlainHook hook = hooks.get(next++);
        Object left = current;
        Object replacement =
            ofUser(
                () ->
                    backward
                        ? hook.afterBackward(described(), left, from)
                        : hook.afterForward(described(), from, left));
        current = replacement == null ? current : replacement;
      }
    } catch (Throwable e) {
      runAlwaysCalled(current, hooks.subList(next, hooks.size()), e);
      throw e;
    }
    return current;
  }

  /** The method's input after the hooks. */
  private @Nullable Object given() {
    Place place = backward ? network.gradOutput(module) : network.input(module);
    return place.kind() == Place.Kind.RETURN
        ? null
        : network.valueAt(place, module, arguments, null);
  }

  /**
   * PyTorch's rule: hooks that are always called run after a failure, and their own failures are
   * silent.
   */
  private void runAlwaysCalled(@Nullable Object output, List<PlainHook> left, Throwable failure) {
    if (backward) {
      return;
    }
    Object current = output;
    for (PlainHook hook : left) {
      if (hook.alwaysCall()) {
        try {
          Object replacement = hook.afterForward(described(), given(), current);
          current = replacement == null ? current : replacement;
        } catch (Throwable e) {
          if (e != failure) {
            failure.addSuppressed(e);
          }
        }
      }
    }
  }

  private void requireSameKind(Object value, Object replacement) {
    if (ArrayTensors.isArray(value) && !ArrayTensors.isSameKind(value, replacement)) {
      throw UserFailure.of(
          new IllegalArgumentException(
              "%s of %s: a hook replaced %s by %s; expected the same type"
                  .formatted(
                      backward ? "backward" : "forward",
                      described(),
                      value.getClass().getTypeName(),
                      replacement.getClass().getTypeName())));
    }
  }

  private IllegalArgumentException noTensor(Place place, @Nullable Object result) {
    return new IllegalArgumentException(
        place.kind() == Place.Kind.RETURN
            ? "its root's forward, %s.%s, returns %s, which is no tensor; name where the numbers are as value: or output:"
                .formatted(
                    module.getClass().getTypeName(),
                    methods.get(0).replaceAll("^.*\\.(?=[^.(]+\\()", "").replaceAll("\\(.*", ""),
                    result == null ? "nothing" : result.getClass().getTypeName())
            : "there is no tensor at output: %s of its root %s"
                .formatted(place, module.getClass().getTypeName()));
  }

  private void finish(PlainPass pass, Object output) {
    if (isRoot()) {
      try {
        pass.finish(module, output, thread);
      } catch (Throwable e) {
        thread.networks().lost(network, e);
      }
      return;
    }
    try {
      pass.output(path, module, output);
    } catch (RuntimeException e) {
      thread.networks().failed(network.name() + ": layer " + path + " could not be recorded", e);
    }
  }

  private boolean isRoot() {
    return outermost && module == root;
  }

  /**
   * Those of the configuration, then those registered by code: for all modules, then for this one.
   */
  private List<PlainHook> hooks() {
    if (thread.ownBackward() != null) {
      return List.of();
    }
    List<PlainHook> configured = network.hooksOf(path);
    if (HookTable.isEmpty()) {
      return configured;
    }
    List<PlainHook> all = new ArrayList<>(configured);
    for (HookMoment moment : HookMoment.values()) {
      for (HookEntry entry : HookTable.global(moment)) {
        if (entry.concerns(module)) {
          all.add(new OwnHook(entry));
        }
      }
      for (HookEntry entry : HookTable.of(module, moment)) {
        all.add(new OwnHook(entry));
      }
    }
    return all;
  }

  private PlainModule described() {
    return new PlainModule(module, path, network.tensors(module));
  }
}
