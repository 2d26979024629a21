package io.camhook.explain;

import io.camhook.cam.LayerTensors;
import io.camhook.cam.targets.ScoreTarget;
import io.camhook.cam.targets.Targets;
import io.camhook.recording.Tensor;
import java.util.List;

/**
 * The part of a Hessian product that is due to a target that is not linear in the outputs y. With J
 * = ∂y/∂A the Hessian of s(y(A)) is {@code Σ ∂s/∂y_i ∇²y_i + Jᵀ ∇²s J}; autograd computes the first
 * part with ∂s/∂y held fixed; this class computes the second: {@code u = J A} and {@code w = ∇²s u}
 * by central differences, {@code Jᵀ w} by autograd.
 */
final class TargetCurvature {
  /** Share of A by which the layer is moved: rounding and the third derivative weigh the same. */
  private static final float STEP = 1e-2f;

  private TargetCurvature() {}

  /** The product with {@code Jᵀ ∇²s J A} added, of the layer's shape. */
  static Tensor added(
      Tensor product, ExplainedModel model, Tensor input, ScoreTarget target, LayerTensors layer) {
    String path = layer.path();
    float[] y = model.outputs(input).toFloats();
    float[] above = model.outputsFrom(path, times(layer.activation(), 1 + STEP), input).toFloats();
    float[] below = model.outputsFrom(path, times(layer.activation(), 1 - STEP), input).toFloats();
    double largest = 1e-12;
    double[] u = new double[y.length];
    for (int i = 0; i < u.length; i++) {
      u[i] = ((double) above[i] - below[i]) / (2 * STEP);
      largest = Math.max(largest, Math.abs(u[i]));
    }
    double step = STEP / largest;
    float[] more = target.gradientAtLogits(moved(y, u, step));
    float[] less = target.gradientAtLogits(moved(y, u, -step));
    float[] w = new float[y.length];
    for (int i = 0; i < w.length; i++) {
      w[i] = (float) (((double) more[i] - less[i]) / (2 * step));
    }
    Tensor back =
        model
            .layers(input, List.of(Targets.weighted("curvature of the target", w)), List.of(path))
            .get(0)
            .gradient();
    if (back == null) {
      return product;
    }
    float[] sum = product.toFloats();
    float[] second = back.toFloats();
    for (int i = 0; i < sum.length; i++) {
      sum[i] += second[i];
    }
    return Tensor.ofFloats(sum, product.shape());
  }

  private static Tensor times(Tensor activation, float factor) {
    float[] values = activation.toFloats().clone();
    for (int i = 0; i < values.length; i++) {
      values[i] *= factor;
    }
    return Tensor.ofFloats(values, activation.shape());
  }

  private static float[] moved(float[] y, double[] u, double step) {
    float[] moved = new float[y.length];
    for (int i = 0; i < y.length; i++) {
      moved[i] = (float) (y[i] + step * u[i]);
    }
    return moved;
  }
}
