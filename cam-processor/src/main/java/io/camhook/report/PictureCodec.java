package io.camhook.report;

import com.fasterxml.jackson.core.JsonGenerator;
import io.camhook.render.Picture;
import io.camhook.render.PictureResize;
import java.awt.Transparency;
import java.awt.color.ColorSpace;
import java.awt.image.BufferedImage;
import java.awt.image.ColorModel;
import java.awt.image.ComponentColorModel;
import java.awt.image.DataBuffer;
import java.awt.image.DataBufferByte;
import java.awt.image.Raster;
import java.awt.image.WritableRaster;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriteParam;
import javax.imageio.ImageWriter;
import javax.imageio.spi.ImageWriterSpi;
import javax.imageio.stream.MemoryCacheImageOutputStream;

/** Pictures as data URLs: JPEG or PNG, whichever is smaller. */
final class PictureCodec {
  private static final float QUALITY = 0.9f;
  private static final float THUMBNAIL_QUALITY = 0.8f;
  private static final ImageWriterSpi JPEG =
      ImageIO.getImageWritersByFormatName("jpeg").next().getOriginatingProvider();
  private static final ColorModel RGB =
      new ComponentColorModel(
          ColorSpace.getInstance(ColorSpace.CS_sRGB),
          false,
          false,
          Transparency.OPAQUE,
          DataBuffer.TYPE_BYTE);

  private PictureCodec() {}

  /** The whole picture, scaled down so that no side is longer than {@code limit}. */
  static void write(JsonGenerator json, Picture picture, int limit) throws IOException {
    Picture shown = within(picture, limit);
    BufferedImage image = image(shown);
    byte[] jpeg = jpeg(image, QUALITY);
    byte[] png = isDrawn(shown.rgb()) ? Picture.png(image) : null;
    if (png != null && png.length <= jpeg.length) {
      write(json, "png", png);
    } else {
      write(json, "jpeg", jpeg);
    }
  }

  /** A small JPEG whose longer side is at most {@code limit}. */
  static void thumbnail(JsonGenerator json, Picture picture, int limit) throws IOException {
    write(json, "jpeg", jpeg(image(within(picture, limit)), THUMBNAIL_QUALITY));
  }

  private static void write(JsonGenerator json, String type, byte[] file) throws IOException {
    byte[] prefix = "data:image/%s;base64,".formatted(type).getBytes(StandardCharsets.US_ASCII);
    byte[] data = Base64.getEncoder().encode(file);
    byte[] url = Arrays.copyOf(prefix, prefix.length + data.length);
    System.arraycopy(data, 0, url, prefix.length, data.length);
    json.writeRawUTF8String(url, 0, url.length);
  }

  /**
   * Whether a PNG may be the smaller file: half of the pixels equal their left neighbour. This is
   * not so for a photo, and encoding it as PNG costs more than everything else that a report does
   * with it.
   */
  private static boolean isDrawn(byte[] rgb) {
    int same = 0;
    for (int i = 3; i < rgb.length; i += 3) {
      if (rgb[i] == rgb[i - 3] && rgb[i + 1] == rgb[i - 2] && rgb[i + 2] == rgb[i - 1]) {
        same++;
      }
    }
    return 6 * same >= rgb.length;
  }

  /** Shrunk without aliasing so that no side is longer than {@code limit}. */
  private static Picture within(Picture picture, int limit) {
    int longest = Math.max(picture.width(), picture.height());
    if (longest <= limit) {
      return picture;
    }
    int width = Math.max(1, (int) Math.round((double) picture.width() * limit / longest));
    int height = Math.max(1, (int) Math.round((double) picture.height() * limit / longest));
    return new Picture(
        width,
        height,
        PictureResize.resize(picture.rgb(), picture.height(), picture.width(), 3, height, width));
  }

  /** The picture's own bytes as an image: the encoder copies lines of this order as they are. */
  private static BufferedImage image(Picture picture) {
    byte[] rgb = picture.rgb();
    WritableRaster raster =
        Raster.createInterleavedRaster(
            new DataBufferByte(rgb, rgb.length),
            picture.width(),
            picture.height(),
            3 * picture.width(),
            3,
            new int[] {0, 1, 2},
            null);
    return new BufferedImage(RGB, raster, false, null);
  }

  private static byte[] jpeg(BufferedImage image, float quality) {
    ImageWriter writer = null;
    try {
      writer = JPEG.createWriterInstance();
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
      if (writer != null) {
        writer.dispose();
      }
    }
  }
}
