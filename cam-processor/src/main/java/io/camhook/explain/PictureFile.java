package io.camhook.explain;

import java.awt.color.ColorSpace;
import java.awt.image.BufferedImage;
import java.awt.image.IndexColorModel;
import java.awt.image.Raster;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;

/**
 * Reads the exact pixel values of picture files, rotated upright. A file that cannot be read
 * correctly (a truncated JPEG, CMYK) is rejected.
 */
final class PictureFile {
  /**
   * The messages of the JDK's readers for a truncated file, which they otherwise fill with grey.
   */
  private static final List<String> DAMAGE =
      List.of("truncated", "premature", "missing eoi", "corrupt", "unexpected end");

  private PictureFile() {}

  /**
   * Reads a picture.
   *
   * @throws ExplainException if the file is not a picture, or cannot be read correctly
   */
  static Pixels read(Path file) throws IOException {
    byte[] bytes;
    try {
      bytes = Files.readAllBytes(file);
    } catch (IOException e) {
      if (!Files.isReadable(file)) {
        throw new ExplainException(file + ": permission denied", e);
      }
      throw e;
    }
    try (ImageInputStream in = ImageIO.createImageInputStream(new ByteArrayInputStream(bytes))) {
      Iterator<ImageReader> readers = ImageIO.getImageReaders(in);
      if (!readers.hasNext()) {
        throw new ExplainException(
            "%s: expected a picture (PNG, JPEG, GIF, BMP) or a .safetensors file, found neither"
                .formatted(file));
      }
      ImageReader reader = readers.next();
      try {
        reader.setInput(in, true, true);
        return decode(file, reader).upright(ExifOrientation.of(bytes));
      } finally {
        reader.dispose();
      }
    }
  }

  private static Pixels decode(Path file, ImageReader reader) {
    List<String> warnings = new ArrayList<>();
    reader.addIIOReadWarningListener((source, warning) -> warnings.add(warning));
    BufferedImage image;
    try {
      image = reader.read(0);
    } catch (IOException | RuntimeException e) { // damage makes readers throw anything
      String why = String.valueOf(e.getMessage());
      throw new ExplainException(
          why.contains("Unsupported Image Type")
              ? file
                  + ": a JPEG of four colours (CMYK, for print) cannot be read; convert it to RGB"
              : "%s: the picture cannot be decoded: %s".formatted(file, why),
          e);
    }
    for (String warning : warnings) {
      String lower = warning.toLowerCase(Locale.ROOT);
      if (DAMAGE.stream().anyMatch(lower::contains)) {
        throw new ExplainException(
            "%s: the picture is damaged, a part of it is missing (%s)".formatted(file, warning));
      }
    }
    return pixels(file, image);
  }

  /**
   * The samples themselves: Java's own conversion to RGB would change grey values, because it
   * treats them as linear light.
   */
  private static Pixels pixels(Path file, BufferedImage image) {
    Raster raster = image.getRaster();
    int bands = raster.getNumBands();
    int colours = image.getColorModel().getColorSpace().getType();
    boolean grey = colours == ColorSpace.TYPE_GRAY;
    boolean plain =
        !(image.getColorModel() instanceof IndexColorModel)
            && (grey && bands <= 2 || colours == ColorSpace.TYPE_RGB && bands >= 3 && bands <= 4);
    if (!plain) {
      if (colours != ColorSpace.TYPE_RGB && !(grey && bands == 1)) {
        throw new ExplainException(
            "%s: a picture of %d channels that are neither grey nor RGB cannot be read; convert it to RGB"
                .formatted(file, bands));
      }
      return packed(image);
    }
    int channels = grey ? 1 : bands;
    int width = image.getWidth();
    int height = image.getHeight();
    byte[] values = new byte[width * height * channels];
    int bits = raster.getSampleModel().getSampleSize(0);
    int most = (1 << bits) - 1;
    int[] row = new int[width * bands];
    for (int y = 0; y < height; y++) {
      raster.getPixels(0, y, width, 1, row);
      for (int x = 0; x < width; x++) {
        for (int c = 0; c < channels; c++) {
          int sample = row[x * bands + c];
          values[(y * width + x) * channels + c] =
              (byte) (bits == 8 ? sample : Math.round(sample * 255.0 / most));
        }
      }
    }
    return new Pixels(width, height, channels, values);
  }

  /** Colours of a palette. */
  private static Pixels packed(BufferedImage image) {
    int width = image.getWidth();
    int height = image.getHeight();
    int channels = image.getColorModel().hasAlpha() ? 4 : 3;
    int[] argb = image.getRGB(0, 0, width, height, null, 0, width);
    byte[] values = new byte[argb.length * channels];
    for (int i = 0; i < argb.length; i++) {
      values[i * channels] = (byte) (argb[i] >> 16);
      values[i * channels + 1] = (byte) (argb[i] >> 8);
      values[i * channels + 2] = (byte) argb[i];
      if (channels == 4) {
        values[i * channels + 3] = (byte) (argb[i] >> 24);
      }
    }
    return new Pixels(width, height, channels, values);
  }
}
