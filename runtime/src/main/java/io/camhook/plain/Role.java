package io.camhook.plain;

/** What a woven method does. */
public enum Role {
  FORWARD(false, false),
  BACKWARD(true, false),
  ROOT_FORWARD(false, true),
  ROOT_BACKWARD(true, true);

  private static final Role[] ALL = values();

  private final boolean backward;
  private final boolean root;

  Role(boolean backward, boolean root) {
    this.backward = backward;
    this.root = root;
  }

  static Role of(int ordinal) {
    return ALL[ordinal];
  }

  /** Whether gradients flow in it. */
  boolean isBackward() {
    return backward;
  }

  /** Whether it belongs to the class that the configuration names as the whole network. */
  boolean isRoot() {
    return root;
  }
}
