package io.camhook.builtin;

/** A tensor that a hook looks at; valid during the hook. */
public interface LayerValues {
  long[] shape();

  /** A copy of the numbers, row-major. */
  float[] toFloats();
}
