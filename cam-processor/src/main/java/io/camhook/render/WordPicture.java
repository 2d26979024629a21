package io.camhook.render;

import java.awt.Color;
import java.awt.Font;
import java.awt.FontMetrics;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The words of a text, each on a background for its value: red supports the score, blue opposes it,
 * with a strength relative to the largest value. Drawn headless, with the fonts of the JDK.
 */
public final class WordPicture {
  private static final int WIDTH = 800;
  private static final int MARGIN = 16;
  private static final int SIZE = 18;
  private static final int LINE = 30;
  private static final int GAP = 4;
  private static final int PADDING = 3;
  private static final Color FOR = new Color(190, 24, 40);
  private static final Color AGAINST = new Color(33, 72, 181);
  private static final Color DIM = new Color(150, 150, 150);

  /** Small values stay visible, as in the report. */
  private static final double GAMMA = 0.8;

  private WordPicture() {}

  /**
   * One word.
   *
   * @param text the displayed text
   * @param value supports the score if above 0, otherwise opposes it
   * @param joined whether it continues the previous word
   * @param dim whether it is not part of the text
   */
  public record Word(String text, float value, boolean joined, boolean dim) {}

  private record Placed(Word word, int x, int y, int width) {}

  /** Draws; null if this JDK has no fonts. */
  public static @Nullable Picture of(List<Word> words) {
    try {
      return drawn(words);
    } catch (LinkageError | RuntimeException e) { // a JDK without fontconfig or freetype
      return null;
    }
  }

  private static Picture drawn(List<Word> words) {
    Font font = new Font(Font.SANS_SERIF, Font.PLAIN, SIZE);
    BufferedImage probe = new BufferedImage(1, 1, BufferedImage.TYPE_INT_RGB);
    Graphics2D measure = probe.createGraphics();
    FontMetrics metrics = measure.getFontMetrics(font);
    List<Placed> placed = placed(words, metrics);
    measure.dispose();
    int height = (placed.isEmpty() ? 0 : placed.get(placed.size() - 1).y()) + LINE + MARGIN;
    BufferedImage image = new BufferedImage(WIDTH, height, BufferedImage.TYPE_INT_RGB);
    Graphics2D pen = image.createGraphics();
    try {
      pen.setRenderingHint(
          RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
      pen.setColor(Color.WHITE);
      pen.fillRect(0, 0, WIDTH, height);
      pen.setFont(font);
      float most = 0;
      for (Word word : words) {
        most = Math.max(most, Math.abs(word.value()));
      }
      for (Placed each : placed) {
        double strength = most == 0 ? 0 : Math.pow(Math.abs(each.word().value()) / most, GAMMA);
        pen.setColor(mixed(each.word().value() < 0 ? AGAINST : FOR, strength));
        pen.fillRoundRect(each.x(), each.y(), each.width(), LINE - GAP, 6, 6);
        pen.setColor(strength > 0.55 ? Color.WHITE : each.word().dim() ? DIM : Color.BLACK);
        pen.drawString(
            each.word().text(), each.x() + PADDING, each.y() + metrics.getAscent() + GAP / 2);
      }
    } finally {
      pen.dispose();
    }
    return Picture.of(image);
  }

  private static List<Placed> placed(List<Word> words, FontMetrics metrics) {
    List<Placed> placed = new ArrayList<>();
    int x = MARGIN;
    int y = MARGIN;
    for (Word word : words) {
      int width = metrics.stringWidth(word.text()) + 2 * PADDING;
      int gap = word.joined() || x == MARGIN ? 0 : GAP;
      if (x + gap + width > WIDTH - MARGIN && x > MARGIN) {
        x = MARGIN;
        y += LINE;
        gap = 0;
      }
      placed.add(new Placed(word, x + gap, y, width));
      x += gap + width;
    }
    return placed;
  }

  private static Color mixed(Color colour, double strength) {
    return new Color(
        mixed(colour.getRed(), strength),
        mixed(colour.getGreen(), strength),
        mixed(colour.getBlue(), strength));
  }

  private static int mixed(int component, double strength) {
    return (int) Math.round(255 + (component - 255) * strength);
  }
}
