package io.camhook.benchmarks;

import java.util.List;
import java.util.Locale;

/** A curve of a few points as a small SVG, each point with its value. */
final class CurvePicture {
  private static final int WIDTH = 420;
  private static final int HEIGHT = 180;
  private static final int LEFT = 40;
  private static final int TOP = 40;
  private static final int BOTTOM = 150;

  private CurvePicture() {}

  static String of(String title, List<Curves.Point> points) {
    double most = points.stream().mapToDouble(Curves.Point::ratio).max().orElse(1);
    double top = Math.max(2, Math.ceil(most));
    StringBuilder line = new StringBuilder();
    StringBuilder marks = new StringBuilder();
    double step = (WIDTH - 2.0 * LEFT) / Math.max(1, points.size() - 1);
    for (int i = 0; i < points.size(); i++) {
      Curves.Point point = points.get(i);
      double x = LEFT + i * step;
      double y = BOTTOM - (BOTTOM - TOP) * point.ratio() / top;
      line.append(format("%.1f,%.1f ", x, y));
      marks.append(format("<circle cx='%.1f' cy='%.1f' r='3'/>", x, y));
      marks.append(text(x, y - 8, Curves.text(point.ratio())));
      marks.append(text(x, BOTTOM + 16, point.at()));
    }
    double one = BOTTOM - (BOTTOM - TOP) / top;
    return format(
            "<svg xmlns='http://www.w3.org/2000/svg' width='%d' height='%d'"
                + " font-family='sans-serif' font-size='11' text-anchor='middle' fill='#333'>",
            WIDTH, HEIGHT)
        + "<rect width='100%' height='100%' fill='#fff'/>"
        + text(WIDTH / 2.0, 16, title)
        + format(
            "<path d='M%d,%.1fH%d' stroke='#bbb' stroke-dasharray='4'/>", LEFT, one, WIDTH - LEFT)
        + format("<path d='M%d,%dH%d' stroke='#333'/>", LEFT, BOTTOM, WIDTH - LEFT)
        + "<polyline fill='none' stroke='#06c' stroke-width='2' points='"
        + line.toString().strip()
        + "'/><g>"
        + marks
        + "</g></svg>\n";
  }

  private static String text(double x, double y, String text) {
    return format("<text x='%.1f' y='%.1f'>%s</text>", x, y, text);
  }

  private static String format(String format, Object... arguments) {
    return String.format(Locale.ROOT, format, arguments);
  }
}
