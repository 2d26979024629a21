package io.camhook.report;

import io.camhook.render.Picture;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.awt.image.DataBufferByte;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Base64;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriteParam;
import javax.imageio.ImageWriter;
import javax.imageio.stream.MemoryCacheImageOutputStream;

/** Pictures as data URLs: JPEG or PNG, whichever is smaller. */
final class PictureCodec {
  private static final float QUALITY = 0.9f;

  private PictureCodec() {}

  /** The whole picture, scaled down so that no side is longer than {@code limit}. */
  static String dataUrl(Picture picture, int limit) {
    BufferedImage image = scaled(picture.toImage(), limit);
    byte[] jpeg = jpeg(image, QUALITY);
    byte[] png = isDrawn(image) ? Picture.png(image) : null;
    return png != null && png.length <= jpeg.length
        ? "data:image/png;base64," + Base64.getEncoder().encodeToString(png)
        : "data:image/jpeg;base64," + Base64.getEncoder().encodeToString(jpeg);
  }

  /**
   * Whether a PNG may be the smaller file: half of the pixels are what their left neighbour is. A
   * photo's are not, and packing it as PNG costs more than all else that a report does with it.
   */
  private static boolean isDrawn(BufferedImage image) {
    byte[] bgr = ((DataBufferByte) image.getRaster().getDataBuffer()).getData();
    int same = 0;
    for (int i = 3; i < bgr.length; i += 3) {
      if (bgr[i] == bgr[i - 3] && bgr[i + 1] == bgr[i - 2] && bgr[i + 2] == bgr[i - 1]) {
        same++;
      }
    }
    return 6 * same >= bgr.length;
  }

  /** A small JPEG whose longer side is at most {@code limit}. */
  static String thumbnail(Picture picture, int limit) {
    byte[] jpeg = jpeg(scaled(picture.toImage(), limit), 0.8f);
    return "data:image/jpeg;base64," + Base64.getEncoder().encodeToString(jpeg);
  }

  /** Halves until the next halving would be too small, then one bilinear step: no aliasing. */
  private static BufferedImage scaled(BufferedImage image, int limit) {
    BufferedImage current = image;
    while (Math.max(current.getWidth(), current.getHeight()) > limit) {
      int longest = Math.max(current.getWidth(), current.getHeight());
      double factor = longest >= 2 * limit ? 0.5 : (double) limit / longest;
      int width = Math.max(1, (int) Math.round(current.getWidth() * factor));
      int height = Math.max(1, (int) Math.round(current.getHeight() * factor));
      BufferedImage smaller = new BufferedImage(width, height, BufferedImage.TYPE_3BYTE_BGR);
      Graphics2D g = smaller.createGraphics();
      g.setRenderingHint(
          RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_BILINEAR);
      g.drawImage(current, 0, 0, width, height, null);
      g.dispose();
      current = smaller;
    }
    return current;
  }

  private static byte[] jpeg(BufferedImage image, float quality) {
    ImageWriter writer = ImageIO.getImageWritersByFormatName("jpeg").next();
    try {
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      ImageWriteParam param = writer.getDefaultWriteParam();
      param.setCompressionMode(ImageWriteParam.MODE_EXPLICIT);
      param.setCompressionQuality(quality);
      try (MemoryCacheImageOutputStream out = new MemoryCacheImageOutputStream(bytes)) {
        writer.setOutput(out);
        writer.write(null, new IIOImage(image, null, null), param);
      }
      return bytes.toByteArray();
    } catch (IOException e) {
      throw new UncheckedIOException("in memory, no device can fail", e);
    } finally {
      writer.dispose();
    }
  }
}
