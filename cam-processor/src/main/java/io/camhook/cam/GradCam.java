package io.camhook.cam;

import io.camhook.recording.Tensor;
import java.util.Arrays;
import java.util.Set;

/**
 * Grad-CAM: {@code w_k = mean_ij g_k}; {@code raw = sum_k w_k A_k}.
 *
 * <p>Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based
 * Localization", ICCV 2017. pytorch-grad-cam and torchcam agree.
 */
final class GradCam implements ChannelWeighted {

  @Override
  public String id() {
    return "gradcam";
  }

  @Override
  public String title() {
    return "Grad-CAM";
  }

  @Override
  public Set<Requirement> needs() {
    return Set.of(Requirement.ACTIVATION, Requirement.GRADIENT);
  }

  @Override
  public double[] weights(LayerSample sample) {
    return Channels.means(sample.requireGradient(id()), sample.channels());
  }

  /** Recorded tensors are read in place, which saves two arrays of their size. */
  @Override
  public FloatMap raw(LayerTensors layer, int index, long[] inputShape) {
    Tensor gradient = layer.gradient();
    if (gradient != null
        && ChannelBlocks.canRead(gradient)
        && ChannelBlocks.canRead(layer.activation())
        && layer.layoutFor(inputShape).kind() == Layout.Kind.CHANNELS_FIRST) {
      int[] spatial = layer.spatial(index, inputShape);
      double[] weights = ChannelBlocks.of(gradient, index).means();
      double[] sum = ChannelBlocks.of(layer.activation(), index).weightedSum(weights);
      // Any sum with NaN or infinity shows it, and no sum of finite floats overflows a double.
      if (Arrays.stream(weights).allMatch(Double::isFinite)
          && Arrays.stream(sum).allMatch(Double::isFinite)) {
        return FloatMap.of(sum, spatial);
      }
    }
    return raw(layer.sample(index, inputShape));
  }
}
