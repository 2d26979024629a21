package io.camhook.report;

/**
 * An RGB picture, 8 bits a channel.
 *
 * @param width in pixels
 * @param height in pixels
 * @param rgb row-major {@code [height, width, 3]}, not copied
 */
public record Picture(int width, int height, byte[] rgb) {
  public Picture {
    if (width < 1 || height < 1 || rgb.length != 3L * width * height) {
      throw new IllegalArgumentException(
          "a picture of %d x %d pixels needs %d bytes, found %d"
              .formatted(width, height, 3L * width * height, rgb.length));
    }
  }
}
