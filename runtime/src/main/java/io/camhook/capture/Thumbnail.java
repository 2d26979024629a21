package io.camhook.capture;

import io.camhook.recording.DType;
import io.camhook.recording.Tensor;

/** Shrinks a picture by averaging. */
final class Thumbnail {
  /** Longest side. */
  private static final int SIDE = 64;

  private Thumbnail() {}

  /**
   * Shrinks a picture {@code [H,W,C]} or pictures {@code [N,H,W,C]}, uint8, to at most 64 pixels
   * per side; any other tensor is returned unchanged.
   */
  static Tensor of(Tensor image) {
    int rank = image.rank();
    if (image.dtype() != DType.U8 || rank < 3 || rank > 4) {
      return image;
    }
    int pictures = rank == 4 ? (int) image.size(0) : 1;
    int height = (int) image.size(rank - 3);
    int width = (int) image.size(rank - 2);
    int channels = (int) image.size(rank - 1);
    int step = (Math.max(height, width) + SIDE - 1) / SIDE;
    if (step <= 1) {
      return image;
    }
    int rows = (height + step - 1) / step;
    int columns = (width + step - 1) / step;
    byte[] from = new byte[(int) image.byteSize()];
    image.data().get(from);
    byte[] to = new byte[pictures * rows * columns * channels];
    for (int i = 0; i < to.length; i++) {
      int channel = i % channels;
      int column = i / channels % columns;
      int row = i / channels / columns % rows;
      int picture = i / channels / columns / rows;
      int sum = 0;
      int count = 0;
      for (int y = row * step; y < Math.min(height, (row + 1) * step); y++) {
        for (int x = column * step; x < Math.min(width, (column + 1) * step); x++) {
          sum += from[((picture * height + y) * width + x) * channels + channel] & 0xff;
          count++;
        }
      }
      to[i] = (byte) Math.round((float) sum / count);
    }
    return rank == 4
        ? Tensor.ofBytes(to, pictures, rows, columns, channels)
        : Tensor.ofBytes(to, rows, columns, channels);
  }
}
