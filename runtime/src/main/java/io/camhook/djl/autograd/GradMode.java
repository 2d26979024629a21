package io.camhook.djl.autograd;

import ai.djl.pytorch.jni.JniUtils;

/** Sets this thread's grad mode; closing restores the previous one. */
public final class GradMode implements AutoCloseable {
  private final boolean before;

  public GradMode(boolean wanted) {
    before = JniUtils.isGradMode();
    if (before != wanted) {
      JniUtils.setGradMode(wanted);
    }
  }

  @Override
  public void close() {
    JniUtils.setGradMode(before);
  }
}
