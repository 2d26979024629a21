package io.camhook.explain;

import io.camhook.render.Picture;
import io.camhook.render.PictureResize;

/**
 * A decoded picture, 8 bits per channel, row-major {@code [height, width, channels]}: grey, RGB, or
 * RGB with alpha.
 */
record Pixels(int width, int height, int channels, byte[] values) {

  /**
   * The same with another number of channels: grey is the luminance of ITU-R 601, as Pillow's mode
   * L.
   */
  Pixels as(int wanted) {
    if (wanted == channels) {
      return this;
    }
    byte[] out = new byte[width * height * wanted];
    for (int p = 0; p < width * height; p++) {
      for (int c = 0; c < wanted; c++) {
        out[p * wanted + c] = (byte) value(p, c, wanted);
      }
    }
    return new Pixels(width, height, wanted, out);
  }

  private int value(int p, int c, int wanted) {
    if (c == 3) {
      return channels == 4 ? at(p, 3) : 255;
    }
    if (channels == 1) {
      return at(p, 0);
    }
    return wanted == 1
        ? (at(p, 0) * 19595 + at(p, 1) * 38470 + at(p, 2) * 7471 + 0x8000) >> 16
        : at(p, c);
  }

  private int at(int p, int c) {
    return values[p * channels + c] & 0xff;
  }

  Picture toPicture() {
    return new Picture(width, height, as(3).values());
  }

  /** Resizes as {@code torchvision.transforms.Resize} does. */
  Pixels resized(int newHeight, int newWidth) {
    byte[] resized = PictureResize.resize(values, height, width, channels, newHeight, newWidth);
    return new Pixels(newWidth, newHeight, channels, resized);
  }

  /**
   * A part of {@code newHeight} rows and {@code newWidth} columns; the area outside is {@code
   * fill}.
   */
  Pixels part(int top, int left, int newHeight, int newWidth, byte[] fill) {
    byte[] out = new byte[newHeight * newWidth * channels];
    for (int y = 0; y < newHeight; y++) {
      for (int x = 0; x < newWidth; x++) {
        int row = y + top;
        int column = x + left;
        boolean inside = row >= 0 && row < height && column >= 0 && column < width;
        for (int c = 0; c < channels; c++) {
          out[(y * newWidth + x) * channels + c] =
              inside ? values[(row * width + column) * channels + c] : fill[c];
        }
      }
    }
    return new Pixels(newWidth, newHeight, channels, out);
  }

  /** Rotated upright according to an EXIF orientation of 1 to 8. */
  Pixels upright(int orientation) {
    if (orientation < 2 || orientation > 8) {
      return this;
    }
    boolean swapped = orientation > 4;
    int newWidth = swapped ? height : width;
    int newHeight = swapped ? width : height;
    byte[] out = new byte[values.length];
    for (int y = 0; y < newHeight; y++) {
      for (int x = 0; x < newWidth; x++) {
        int row = swapped ? x : y;
        int column = swapped ? y : x;
        // 2 and 7 and so on mirror: see the table of tag 0x0112 in the EXIF standard.
        boolean mirrorRow =
            orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
        boolean mirrorColumn =
            orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
        int from =
            (mirrorRow ? height - 1 - row : row) * width
                + (mirrorColumn ? width - 1 - column : column);
        System.arraycopy(values, from * channels, out, (y * newWidth + x) * channels, channels);
      }
    }
    return new Pixels(newWidth, newHeight, channels, out);
  }
}
