package io.camhook.samples.pictures;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import javax.imageio.ImageIO;

/**
 * A picture and its contents.
 *
 * @param width in pixels
 * @param height in pixels
 * @param rgb {@code height × width × 3} bytes, row-major, red first
 * @param objects what it shows, in no particular order; empty if unknown
 */
@SuppressWarnings("ArrayRecordComponent")
public record DrawnPicture(int width, int height, byte[] rgb, List<PictureObject> objects) {

  /**
   * Reads a picture whose truth is not known.
   *
   * @throws IOException if the file cannot be read or is not a picture
   */
  public static DrawnPicture read(Path file) throws IOException {
    BufferedImage image = ImageIO.read(file.toFile());
    if (image == null) {
      throw new IOException(file + " is not a picture in a format that the JDK reads");
    }
    byte[] rgb = new byte[image.getWidth() * image.getHeight() * 3];
    for (int i = 0; i < rgb.length / 3; i++) {
      int pixel = image.getRGB(i % image.getWidth(), i / image.getWidth());
      rgb[i * 3] = (byte) (pixel >> 16);
      rgb[i * 3 + 1] = (byte) (pixel >> 8);
      rgb[i * 3 + 2] = (byte) pixel;
    }
    return new DrawnPicture(image.getWidth(), image.getHeight(), rgb, List.of());
  }

  /**
   * The square of the given side whose centre is as near to the first object's as the border
   * allows, with the masks cut alike.
   */
  public DrawnPicture around(int side) {
    if (side == width && side == height) {
      return this;
    }
    Mask first = objects.get(0).mask();
    int left = Math.max(0, Math.min(width - side, first.centreX() - side / 2));
    int top = Math.max(0, Math.min(height - side, first.centreY() - side / 2));
    byte[] cut = new byte[side * side * 3];
    for (int y = 0; y < side; y++) {
      System.arraycopy(rgb, ((top + y) * width + left) * 3, cut, y * side * 3, side * 3);
    }
    List<PictureObject> kept =
        objects.stream()
            .map(o -> new PictureObject(o.shape(), o.mask().cut(left, top, side)))
            .filter(o -> o.mask().area() > 0)
            .toList();
    return new DrawnPicture(side, side, cut, kept);
  }

  /** The same pixels as an AWT image of type {@link BufferedImage#TYPE_INT_RGB}. */
  public BufferedImage toImage() {
    BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
    for (int i = 0; i < width * height; i++) {
      int r = rgb[i * 3] & 0xff;
      int g = rgb[i * 3 + 1] & 0xff;
      int b = rgb[i * 3 + 2] & 0xff;
      image.setRGB(i % width, i / width, r << 16 | g << 8 | b);
    }
    return image;
  }

  /** Lower-case hexadecimal SHA-256 of {@link #rgb}: the picture's identity. */
  public String sha256() {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(rgb));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }
}
