package io.camhook.dispatch;

/** When a module hook runs. */
public enum HookKind {
  FORWARD_PRE("forward pre hook"),
  FORWARD("forward hook"),
  BACKWARD_PRE("full backward pre hook"),
  BACKWARD("full backward hook");

  private final String text;

  HookKind(String text) {
    this.text = text;
  }

  /** As messages call it. */
  public String text() {
    return text;
  }
}
