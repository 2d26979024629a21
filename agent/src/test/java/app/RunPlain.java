package app;

import app.nn.Scale;
import app.nn.Stack;
import java.util.Arrays;

/** Runs a plain network of two layers three times and prints its outputs. */
public final class RunPlain {
  private RunPlain() {}

  public static void main(String[] args) {
    Stack network = new Stack(new Scale(2), new Scale(3));
    for (int i = 1; i <= 3; i++) {
      System.out.println(Arrays.toString(network.forward(new float[] {i, -i})));
    }
  }
}
