package io.camhook.djl.request;

import ai.djl.modality.cv.Image;
import io.camhook.recording.Tensor;
import java.awt.image.BufferedImage;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The pictures passed to a predictor, without any engine's arrays. */
public final class HeapPictures {
  private HeapPictures() {}

  /**
   * The inputs as uint8 RGB, {@code [H,W,3]}, or {@code [N,H,W,3]} for several of one size.
   *
   * @return null if the inputs are not pictures, have several sizes, or come from a library without
   *     {@link BufferedImage}
   */
  public static @Nullable Tensor of(List<?> inputs) {
    byte[] all = null;
    int height = 0;
    int width = 0;
    for (int n = 0; n < inputs.size(); n++) {
      BufferedImage picture =
          inputs.get(n) instanceof Image image
                  && image.getWrappedImage() instanceof BufferedImage buffered
              ? buffered
              : null;
      if (picture == null) {
        return null;
      }
      if (all == null) {
        height = picture.getHeight();
        width = picture.getWidth();
        all = new byte[Math.multiplyExact(inputs.size(), height * width * 3)];
      }
      if (picture.getHeight() != height || picture.getWidth() != width) {
        return null;
      }
      int at = n * height * width * 3;
      for (int rgb : picture.getRGB(0, 0, width, height, null, 0, width)) {
        all[at++] = (byte) (rgb >> 16);
        all[at++] = (byte) (rgb >> 8);
        all[at++] = (byte) rgb;
      }
    }
    if (all == null) {
      return null;
    }
    return inputs.size() == 1
        ? Tensor.ofBytes(all, height, width, 3)
        : Tensor.ofBytes(all, inputs.size(), height, width, 3);
  }
}
