package io.camhook.cli;

import io.camhook.explain.ExplainException;
import io.camhook.render.Picture;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import javax.imageio.ImageIO;

/**
 * A mask read from a picture: bright pixels are inside.
 *
 * @param inside row-major
 */
record MaskFile(boolean[] inside) {
  private static final int BRIGHT = 128;

  /**
   * Reads the mask of an input.
   *
   * @param path a picture, or a directory with {@code NAME.png} for each input
   * @throws ExplainException if there is none
   */
  static MaskFile of(Path path, String input) throws IOException {
    Path file = Files.isDirectory(path) ? path.resolve(input + ".png") : path;
    if (!Files.exists(file)) {
      throw new ExplainException(file + ": no such mask");
    }
    BufferedImage image = ImageIO.read(file.toFile());
    if (image == null) {
      throw new ExplainException(file + ": expected a picture with a mask");
    }
    byte[] rgb = Picture.of(image).rgb();
    boolean[] inside = new boolean[rgb.length / 3];
    for (int i = 0; i < inside.length; i++) {
      inside[i] = (rgb[3 * i] & 0xff) >= BRIGHT;
    }
    return new MaskFile(inside);
  }
}
