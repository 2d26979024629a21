package io.camhook.builtin;

/** A tensor passed to a hook; valid only while the hook runs. */
public interface LayerValues {
  long[] shape();

  /** A copy of the numbers, row-major. */
  float[] toFloats();
}
