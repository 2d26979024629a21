package io.camhook.dispatch;

import io.camhook.ForwardHook;
import io.camhook.ForwardPreHook;
import io.camhook.FullBackwardHook;
import io.camhook.FullBackwardPreHook;
import java.util.Arrays;
import java.util.List;

/**
 * The point at which a module hook runs. A kind that is added here can be registered and named in
 * YAML; each engine calls it in a place of its own.
 */
public enum HookKind {
  FORWARD_PRE("forward pre hook", ForwardPreHook.class),
  FORWARD("forward hook", ForwardHook.class),
  BACKWARD_PRE("full backward pre hook", FullBackwardPreHook.class),
  BACKWARD("full backward hook", FullBackwardHook.class);

  private final String text;
  private final Class<?> type;

  HookKind(String text, Class<?> type) {
    this.text = text;
    this.type = type;
  }

  /** Whether {@code hook} is a hook of this kind; one object may be of several. */
  public boolean is(Object hook) {
    return type.isInstance(hook);
  }

  /** The kinds of which {@code hook} is. */
  public static List<HookKind> of(Object hook) {
    return Arrays.stream(values()).filter(kind -> kind.is(hook)).toList();
  }

  /** The interface of its hooks. */
  public Class<?> type() {
    return type;
  }

  /** The interfaces of all kinds, for messages: "A, B or C". */
  public static String types() {
    List<String> names = Arrays.stream(values()).map(kind -> kind.type.getSimpleName()).toList();
    int last = names.size() - 1;
    return String.join(", ", names.subList(0, last)) + " or " + names.get(last);
  }

  /**
   * Whether a replacement that is asked for of a hook is asked for here: if it is a forward hook
   * too, of that alone.
   *
   * @param all the kinds of which the hook is
   */
  public boolean isMeantToReplace(List<HookKind> all) {
    return isForward() || all.stream().noneMatch(HookKind::isForward);
  }

  /** Whether it runs in the forward pass. */
  public boolean isForward() {
    return this == FORWARD_PRE || this == FORWARD;
  }

  /** As messages call it. */
  public String text() {
    return text;
  }
}
