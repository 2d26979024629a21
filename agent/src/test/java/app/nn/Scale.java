package app.nn;

/** y = factor · x. */
public class Scale implements Layer {
  protected final float factor;
  public float gradFactor;
  public boolean fail;
  private float[] input = {};

  public Scale(float factor) {
    this.factor = factor;
  }

  @Override
  public float[] forward(float[] x) {
    if (fail) {
      throw new UnsupportedOperationException("asked to");
    }
    input = x.clone();
    float[] y = new float[x.length];
    for (int i = 0; i < y.length; i++) {
      y[i] = factor * x[i];
    }
    return y;
  }

  @Override
  public float[] backward(float[] gradOutput) {
    float[] gradInput = new float[gradOutput.length];
    for (int i = 0; i < gradInput.length; i++) {
      gradFactor += gradOutput[i] * input[i];
      gradInput[i] = factor * gradOutput[i];
    }
    return gradInput;
  }
}
