package app.nn;

import java.util.List;

/** Layers one after the other; a layer itself. */
public class Stack implements Layer {
  private final List<Layer> layers;

  public Stack(Layer... layers) {
    this.layers = List.of(layers);
  }

  @Override
  public float[] forward(float[] x) {
    float[] y = x;
    for (Layer layer : layers) {
      y = layer.forward(y);
    }
    return y;
  }

  @Override
  public float[] backward(float[] gradOutput) {
    float[] g = gradOutput;
    for (int i = layers.size() - 1; i >= 0; i--) {
      g = layers.get(i).backward(g);
    }
    return g;
  }
}
