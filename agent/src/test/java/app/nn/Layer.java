package app.nn;

/** A layer over flat arrays. */
public interface Layer {
  float[] forward(float[] x);

  /** From ∂score/∂output to ∂score/∂input. */
  float[] backward(float[] gradOutput);
}
