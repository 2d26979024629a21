package io.camhook.dispatch;

import io.camhook.ForwardHook;
import io.camhook.ForwardPreHook;
import io.camhook.FullBackwardHook;
import io.camhook.FullBackwardPreHook;

/** The point at which a module hook runs. */
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

  /** Whether it runs in the forward pass. */
  public boolean isForward() {
    return this == FORWARD_PRE || this == FORWARD;
  }

  /** As messages call it. */
  public String text() {
    return text;
  }
}
