package io.camhook.cam;

import java.util.Set;

/**
 * CAM: {@code w_k = W[c,k]}, the weight of channel k in the linear layer after a global average
 * pooling; {@code raw = sum_k w_k A_k}.
 *
 * <p>Zhou et al., "Learning Deep Features for Discriminative Localization", CVPR 2016. Follows
 * torchcam's CAM; pytorch-grad-cam has none. The heatmap has the ReLU of all our methods, which
 * torchcam leaves out for this one.
 */
final class Cam implements ChannelWeighted {

  @Override
  public String id() {
    return "cam";
  }

  @Override
  public String title() {
    return "CAM";
  }

  @Override
  public Set<Requirement> needs() {
    return Set.of(Requirement.ACTIVATION, Requirement.CLASSIFIER);
  }

  @Override
  public double[] weights(LayerSample sample) {
    float[] row = sample.classifierRow();
    if (row == null) {
      throw Requirement.CLASSIFIER.missing(id(), sample.path());
    }
    double[] weights = new double[row.length];
    for (int k = 0; k < weights.length; k++) {
      weights[k] = row[k];
    }
    return weights;
  }
}
