package app.nn;

import io.camhook.ForwardHook;
import org.jspecify.annotations.Nullable;

/** An application's own hook on a plain network: adds 1 to the first output. */
public final class AddOne implements ForwardHook<Object, float[]> {
  @Override
  public float[] afterForward(Object module, String path, float[] x, float @Nullable [] y) {
    return new float[] {y[0] + 1};
  }
}
