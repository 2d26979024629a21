package app.nn;

/** Every way in which a forward can be declared and called. */
public final class Calls {
  private Calls() {}

  /** Marks layers of nets that share no interface. */
  @java.lang.annotation.Retention(java.lang.annotation.RetentionPolicy.RUNTIME)
  public @interface Module {}

  /** An override that calls super.forward. */
  public static final class Shifted extends Scale {
    public Shifted() {
      super(2);
    }

    @Override
    public float[] forward(float[] x) {
      float[] y = super.forward(x);
      y[0] += 1;
      return y;
    }
  }

  /** Overloads that call each other. */
  @Module
  public static final class Overloads {
    public float[] forward(float[] x) {
      return forward(x, 3);
    }

    public float[] forward(float[] x, float factor) {
      return forward(x, factor, false);
    }

    private float[] forward(float[] x, float factor, boolean negate) {
      return new float[] {(negate ? -factor : factor) * x[0]};
    }
  }

  /** Calls itself. */
  @Module
  public static final class Recursive {
    public float[] forward(float[] x, int depth) {
      return depth == 0 ? x : forward(new float[] {x[0] + 1}, depth - 1);
    }
  }

  /** A generic layer, whose implementations get bridges. */
  @Module
  public abstract static class Generic<T> {
    public abstract T forward(T x);
  }

  /** Final, with a bridge. */
  public static final class Doubles extends Generic<double[]> {
    @Override
    public final double[] forward(double[] x) {
      return new double[] {x[0] * 2};
    }
  }

  /** A default method that calls a private one. */
  @Module
  public interface WithDefault {
    default float[] forward(float[] x) {
      return twice(x);
    }

    private float[] twice(float[] x) {
      return new float[] {2 * x[0]};
    }
  }

  /** Inherits everything. */
  public static final class Inherits implements WithDefault {}

  /** Calls the default method of its interface. */
  public static final class Overrides implements WithDefault {
    @Override
    public float[] forward(float[] x) {
      float[] y = WithDefault.super.forward(x);
      y[0] += 1;
      return y;
    }
  }

  /** Hides its forward in another method. */
  @Module
  public static final class Private {
    public float[] run(float[] x) {
      return forward(x);
    }

    private final float[] forward(float[] x) {
      return new float[] {x[0] * 5};
    }
  }

  /** Throws. */
  @Module
  public static final class Throwing {
    public float[] forward(float[] x) {
      if (x[0] < 0) {
        throw new IllegalArgumentException("negative");
      }
      return x;
    }
  }

  /** Calls a layer that throws, and continues. */
  @Module
  public static final class Catching {
    private final Throwing inner = new Throwing();

    public float[] forward(float[] x) {
      try {
        return inner.forward(new float[] {-1});
      } catch (IllegalArgumentException e) {
        return inner.forward(x);
      }
    }
  }
}
