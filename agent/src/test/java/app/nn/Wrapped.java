package app.nn;

import java.util.List;

/** A library whose tensors are objects, whose layers return pairs and whose root takes arrays. */
public final class Wrapped {
  private Wrapped() {}

  /** What a tensor holds. */
  public static final class Data {
    private final float[] numbers;

    Data(float[] numbers) {
      this.numbers = numbers;
    }

    public float[] asFloat() {
      return numbers.clone();
    }
  }

  /** A tensor. */
  public static final class Array {
    private final Data data;

    Array(float... numbers) {
      data = new Data(numbers);
    }

    public Array dup() {
      return new Array(data.asFloat());
    }

    public Data data() {
      return data;
    }
  }

  /** A cache and a tensor. */
  public record Pair(Object first, Array second) {}

  /** y = 2x. */
  public static final class Twice {
    public Pair forward(List<Array> inputs) {
      float[] x = inputs.get(0).data().asFloat();
      float[] y = new float[x.length];
      for (int i = 0; i < y.length; i++) {
        y[i] = 2 * x[i];
      }
      return new Pair("cache", new Array(y));
    }
  }

  /** y = 4x. */
  public static final class Net {
    private final Twice first = new Twice();
    private final Twice second = new Twice();

    public float[] predict(float[] x) {
      Array middle = first.forward(List.of(new Array(x))).second();
      return second.forward(List.of(middle)).second().data().asFloat();
    }
  }

  /** A root that returns no tensor. */
  public static final class Mute {
    private final Twice only = new Twice();

    public String predict(float[] x) {
      return "" + only.forward(List.of(new Array(x))).second().data().asFloat()[0];
    }
  }

  /** y = 3x + 2(3x): more than one path leads to the output. */
  public static final class Residual {
    private final Scale first = new Scale(3);
    private final Scale second = new Scale(2);

    public float[] forward(float[] x) {
      float[] a = first.forward(x);
      float[] b = second.forward(a);
      float[] sum = new float[x.length];
      for (int i = 0; i < x.length; i++) {
        sum[i] = a[i] + b[i];
      }
      return sum;
    }
  }
}
