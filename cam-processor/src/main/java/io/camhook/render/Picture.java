package io.camhook.render;

import java.awt.image.BufferedImage;
import java.awt.image.DataBufferByte;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import javax.imageio.ImageIO;

/**
 * An RGB picture, 8 bits per channel. Immutable by convention: the bytes are not copied and must
 * not be written.
 *
 * @param width in pixels
 * @param height in pixels
 * @param rgb row-major {@code [height, width, 3]}
 */
public record Picture(int width, int height, byte[] rgb) {
  static {
    // No temporary files for pictures of a few kilobytes.
    ImageIO.setUseCache(false);
  }

  public Picture {
    requireSize("picture", rgb.length, width * height * 3, width, height);
  }

  /** From grey values or RGB {@code [height, width, channels]} with 1 or 3 channels. */
  public static Picture of(byte[] values, int width, int height, int channels) {
    if (channels == 3) {
      return new Picture(width, height, values);
    }
    if (channels != 1) {
      throw new IllegalArgumentException("expected 1 or 3 channels, found " + channels);
    }
    byte[] rgb = new byte[values.length * 3];
    for (int i = 0; i < rgb.length; i++) {
      rgb[i] = values[i / 3];
    }
    return new Picture(width, height, rgb);
  }

  /** From any Java image; transparency is dropped. */
  public static Picture of(BufferedImage image) {
    int width = image.getWidth();
    int height = image.getHeight();
    int[] packed = image.getRGB(0, 0, width, height, null, 0, width);
    byte[] rgb = new byte[packed.length * 3];
    for (int i = 0; i < packed.length; i++) {
      rgb[3 * i] = (byte) (packed[i] >> 16);
      rgb[3 * i + 1] = (byte) (packed[i] >> 8);
      rgb[3 * i + 2] = (byte) packed[i];
    }
    return new Picture(width, height, rgb);
  }

  /** The picture as a Java image. */
  public BufferedImage toImage() {
    BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_3BYTE_BGR);
    byte[] bgr = bytes(image);
    for (int i = 0; i < bgr.length; i += 3) {
      bgr[i] = rgb[i + 2];
      bgr[i + 1] = rgb[i + 1];
      bgr[i + 2] = rgb[i];
    }
    return image;
  }

  /** The memory of an image of type {@code TYPE_3BYTE_BGR}. */
  private static byte[] bytes(BufferedImage image) {
    return ((DataBufferByte) image.getRaster().getDataBuffer()).getData();
  }

  /** The picture as a PNG file's bytes. */
  public byte[] png() {
    return png(toImage());
  }

  /** An image as a PNG file's bytes. */
  public static byte[] png(BufferedImage image) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try {
      if (!ImageIO.write(image, "png", out)) {
        throw new IllegalStateException("this Java runtime has no PNG writer");
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return out.toByteArray();
  }

  /** Writes the picture as a PNG file. */
  public void writePng(Path file) throws IOException {
    Files.write(file, png());
  }

  /** The picture at another size, bilinear with half-pixel centres. */
  public Picture resized(int newWidth, int newHeight) {
    if (newWidth == width && newHeight == height) {
      return this;
    }
    float[] values = new float[rgb.length];
    for (int i = 0; i < values.length; i++) {
      values[i] = rgb[i] & 0xff;
    }
    float[] resized =
        Bilinear.resize(values, new int[] {height, width, 3}, new int[] {newHeight, newWidth, 3});
    byte[] out = new byte[resized.length];
    for (int i = 0; i < out.length; i++) {
      out[i] = (byte) Math.round(resized[i]);
    }
    return new Picture(newWidth, newHeight, out);
  }

  static void requireSize(String what, int found, int expected, int width, int height) {
    if (found != expected) {
      throw new IllegalArgumentException(
          "a %s of %dx%d (width x height) needs %d values, found %d"
              .formatted(what, width, height, expected, found));
    }
  }
}
