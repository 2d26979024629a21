package io.camhook.samples.plainjava;

import java.util.List;
import java.util.SplittableRandom;

/** Wx + b. */
final class LinearLayer implements Layer {
  private final int inputs;
  private final int outputs;
  private final Parameter weight;
  private final Parameter bias;
  private float[] input = {};

  LinearLayer(int inputs, int outputs) {
    this.inputs = inputs;
    this.outputs = outputs;
    this.weight = new Parameter(outputs * inputs);
    this.bias = new Parameter(outputs);
  }

  /** With random weights. */
  LinearLayer initialise(SplittableRandom random) {
    weight.initialise(random, inputs);
    return this;
  }

  @Override
  public float[] forward(float[] input) {
    this.input = input;
    float[] output = bias.value.clone();
    for (int o = 0; o < outputs; o++) {
      for (int i = 0; i < inputs; i++) {
        output[o] += weight.value[o * inputs + i] * input[i];
      }
    }
    return output;
  }

  @Override
  public float[] backward(float[] outputGradient) {
    float[] inputGradient = new float[inputs];
    for (int o = 0; o < outputs; o++) {
      float g = outputGradient[o];
      for (int i = 0; i < inputs; i++) {
        weight.gradient[o * inputs + i] += g * input[i];
        inputGradient[i] += g * weight.value[o * inputs + i];
      }
      bias.gradient[o] += g;
    }
    return inputGradient;
  }

  @Override
  public int[] outputShape() {
    return new int[] {outputs};
  }

  @Override
  public List<Parameter> parameters() {
    return List.of(weight, bias);
  }
}
