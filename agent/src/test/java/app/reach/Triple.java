package app.reach;

/** y = 3x; a network that needs no other class, so that any class loader can define it. */
public class Triple {
  public float[] forward(float[] x) {
    float[] y = new float[x.length];
    for (int i = 0; i < y.length; i++) {
      y[i] = 3 * x[i];
    }
    return y;
  }
}
