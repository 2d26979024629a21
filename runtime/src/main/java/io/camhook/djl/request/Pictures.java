package io.camhook.djl.request;

import ai.djl.modality.cv.Image;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The pictures passed to a predictor. */
final class Pictures {
  private Pictures() {}

  /**
   * The inputs as uint8 RGB, {@code [H,W,3]}, or {@code [N,H,W,3]} for several of one size.
   *
   * @return null if the inputs are not pictures, or have several sizes
   */
  static @Nullable NDArray of(List<?> inputs, NDManager owner) {
    if (inputs.isEmpty() || !inputs.stream().allMatch(Image.class::isInstance)) {
      return null;
    }
    NDList pictures = new NDList();
    for (Object input : inputs) {
      pictures.add(
          ((Image) input).toNDArray(owner, Image.Flag.COLOR).toType(DataType.UINT8, false));
    }
    NDArray first = pictures.head();
    if (pictures.size() == 1) {
      return first;
    }
    if (!pictures.stream().allMatch(picture -> picture.getShape().equals(first.getShape()))) {
      pictures.close();
      return null;
    }
    NDArray stacked = NDArrays.stack(pictures);
    pictures.close();
    return stacked;
  }
}
