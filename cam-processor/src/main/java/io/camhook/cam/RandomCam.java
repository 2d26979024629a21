package io.camhook.cam;

import java.util.Random;
import java.util.Set;

/**
 * Random CAM: {@code w_k} uniform in -1..1; {@code raw = sum_k w_k A_k}. The baseline that every
 * method must beat.
 *
 * <p>From pytorch-grad-cam. Ours is seeded by the layer's path and its values, so that the same
 * layer of the same sample has the same map every time, and different samples have different
 * weights.
 */
final class RandomCam implements ChannelWeighted {

  @Override
  public String id() {
    return "randomcam";
  }

  @Override
  public String title() {
    return "Random-CAM";
  }

  @Override
  public Set<Requirement> needs() {
    return Set.of(Requirement.ACTIVATION);
  }

  @Override
  public double[] weights(LayerSample sample) {
    float[] a = sample.activation();
    long seed = sample.path().hashCode();
    for (int i = 0; i < a.length; i += Math.max(1, a.length / 64)) {
      seed = 31 * seed + Float.floatToIntBits(a[i]);
    }
    Random random = new Random(seed);
    double[] weights = new double[sample.channels()];
    for (int k = 0; k < weights.length; k++) {
      weights[k] = 2 * random.nextDouble() - 1;
    }
    return weights;
  }
}
