package io.camhook.dispatch;

import io.camhook.ForwardHook;
import io.camhook.ForwardHookWithParams;
import io.camhook.ForwardPreHook;
import io.camhook.ForwardPreHookWithParams;
import io.camhook.FullBackwardHook;
import io.camhook.FullBackwardPreHook;
import io.camhook.PostAccumulateGradHook;
import io.camhook.TensorHook;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A kind of hook: its interface, the moment at which it runs, and how it is called. This is all
 * that camhook knows of a kind: every engine runs a kind that is added here, {@code Hooks.register}
 * registers it, and the YAML can name its classes.
 */
@SuppressWarnings("unchecked") // the application chooses the types: see HookTypes
public final class HookKind {
  public static final HookKind FORWARD_PRE =
      new HookKind(
          "forward pre hook",
          ForwardPreHook.class,
          HookMoment.BEFORE_FORWARD,
          (hook, of) ->
              ((ForwardPreHook<Object, Object>) hook)
                  .beforeForward(of.module(), of.path(), of.inputs()));

  public static final HookKind FORWARD_PRE_WITH_PARAMS =
      new HookKind(
          "forward pre hook",
          ForwardPreHookWithParams.class,
          HookMoment.BEFORE_FORWARD,
          (hook, of) -> {
            ForwardPreHookWithParams.Call<Object, Object> replaced =
                ((ForwardPreHookWithParams<Object, Object, Object>) hook)
                    .beforeForward(of.module(), of.path(), of.inputs(), of.params());
            if (replaced == null) {
              return null;
            }
            of.replaceParams(replaced.params());
            return replaced.inputs();
          });

  public static final HookKind FORWARD =
      new HookKind(
          "forward hook",
          ForwardHook.class,
          HookMoment.AFTER_FORWARD,
          (hook, of) ->
              ((ForwardHook<Object, Object>) hook)
                  .afterForward(of.module(), of.path(), of.inputs(), of.outputs()));

  public static final HookKind FORWARD_WITH_PARAMS =
      new HookKind(
          "forward hook",
          ForwardHookWithParams.class,
          HookMoment.AFTER_FORWARD,
          (hook, of) ->
              ((ForwardHookWithParams<Object, Object, Object>) hook)
                  .afterForward(of.module(), of.path(), of.inputs(), of.params(), of.outputs()));

  public static final HookKind BACKWARD_PRE =
      new HookKind(
          "full backward pre hook",
          FullBackwardPreHook.class,
          HookMoment.BEFORE_BACKWARD,
          (hook, of) ->
              ((FullBackwardPreHook<Object, Object>) hook)
                  .beforeBackward(of.module(), of.path(), of.gradOutputs()));

  public static final HookKind BACKWARD =
      new HookKind(
          "full backward hook",
          FullBackwardHook.class,
          HookMoment.AFTER_BACKWARD,
          (hook, of) ->
              ((FullBackwardHook<Object, Object>) hook)
                  .afterBackward(of.module(), of.path(), of.inputs(), of.gradOutputs()));

  public static final HookKind TENSOR =
      new HookKind(
          "tensor hook",
          TensorHook.class,
          HookMoment.GRADIENT,
          (hook, of) -> ((TensorHook<Object>) hook).onGradient(of.inputs()));

  public static final HookKind POST_ACCUMULATE =
      new HookKind(
          "post-accumulate-gradient hook",
          PostAccumulateGradHook.class,
          HookMoment.ACCUMULATED,
          (hook, of) -> {
            ((PostAccumulateGradHook<Object>) hook).afterAccumulate(of.inputs());
            return null;
          });

  /** If a hook is of two kinds with the same moment, the later one in this list counts. */
  private static final List<HookKind> OF_MODULES =
      List.of(
          FORWARD_PRE,
          FORWARD_PRE_WITH_PARAMS,
          FORWARD,
          FORWARD_WITH_PARAMS,
          BACKWARD_PRE,
          BACKWARD);

  /** How hooks of a kind are called. */
  @FunctionalInterface
  public interface Invocation {
    /**
     * Calls {@code hook}, which is of the kind.
     *
     * @return what the hook puts in place of the value that its {@link HookMoment} may replace;
     *     null keeps it
     */
    @Nullable Object call(Object hook, HookArguments of);
  }

  private final String text;
  private final Class<?> type;
  private final HookMoment moment;
  private final Invocation invocation;

  /**
   * @param text as messages call it
   * @param type the interface of its hooks
   */
  public HookKind(String text, Class<?> type, HookMoment moment, Invocation invocation) {
    this.text = text;
    this.type = type;
    this.moment = moment;
    this.invocation = invocation;
  }

  /** The kinds of hooks on modules, each with another interface. */
  public static List<HookKind> ofModules() {
    return OF_MODULES;
  }

  /**
   * The kinds of {@code hook}, at most one for each moment: a hook that implements a form with
   * parameters runs in that form.
   */
  public static List<HookKind> of(Object hook) {
    Map<HookMoment, HookKind> kinds = new EnumMap<>(HookMoment.class);
    for (HookKind kind : OF_MODULES) {
      if (kind.type.isInstance(hook)) {
        kinds.put(kind.moment, kind);
      }
    }
    return List.copyOf(kinds.values());
  }

  /** The interfaces of all kinds of hooks on modules, for messages: "A, B or C". */
  public static String types() {
    return types(EnumSet.allOf(HookMoment.class));
  }

  /** As {@link #types()}, of the kinds that run at {@code moments}. */
  public static String types(Set<HookMoment> moments) {
    List<String> names =
        OF_MODULES.stream()
            .filter(kind -> moments.contains(kind.moment))
            .map(kind -> kind.type.getSimpleName())
            .toList();
    int last = names.size() - 1;
    return String.join(", ", names.subList(0, last)) + " or " + names.get(last);
  }

  /**
   * Whether {@code replaces} of a hook applies to this kind: if the hook has forward kinds, it
   * applies only to those.
   *
   * @param all the kinds that the hook is of
   */
  public boolean isMeantToReplace(List<HookKind> all) {
    return moment.isForward() || all.stream().noneMatch(kind -> kind.moment.isForward());
  }

  /**
   * Whether {@code alwaysCall} of a hook applies to this kind: if the hook has a kind that can run
   * after a failure, it applies only to that one.
   *
   * @param all the kinds that the hook is of
   */
  public boolean isMeantToRunAlways(List<HookKind> all) {
    return moment.comesAfterFailure()
        || all.stream().noneMatch(kind -> kind.moment.comesAfterFailure());
  }

  /** As messages call it. */
  public String text() {
    return text;
  }

  /** The interface of its hooks. */
  public Class<?> type() {
    return type;
  }

  public HookMoment moment() {
    return moment;
  }

  @Nullable Object call(Object hook, HookArguments of) {
    return invocation.call(hook, of);
  }
}
