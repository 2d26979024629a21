package io.camhook.dispatch;

/** When a module hook runs. */
public enum HookKind {
  FORWARD_PRE,
  FORWARD,
  BACKWARD_PRE,
  BACKWARD
}
