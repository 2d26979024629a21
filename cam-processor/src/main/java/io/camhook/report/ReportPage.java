package io.camhook.report;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;

/**
 * The page around the data: {@code page.html} with style and code put in. It is cut where the data
 * goes: {@link #head} before the index, {@link #script} after it, {@link #foot} at the end. Style
 * and code are bundled from {@code src/main/frontend}.
 *
 * @param html the skeleton
 * @param css the style
 * @param js the code
 */
record ReportPage(String html, String css, String js) {
  /** A file makes no requests. */
  private static final String FILE_POLICY =
      "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'";

  /** A served page makes requests only to its own server. */
  private static final String SERVED_POLICY = FILE_POLICY + "; connect-src 'self'";

  private static final String STYLE = "/*STYLE*/";
  private static final String TITLE = "<!--TITLE-->";
  private static final String POLICY = "<!--POLICY-->";
  private static final String SERVED = "<!--SERVED-->";
  private static final String DATA = "<!--DATA-->";

  static ReportPage load() throws IOException {
    return new ReportPage(resource("page.html"), resource("report.css"), resource("report.js"));
  }

  String head(String title) {
    return head(title, FILE_POLICY, "");
  }

  /**
   * The whole page without data, which it requests below {@code path}.
   *
   * @param path of letters, digits and slashes
   */
  String served(String title, String path) {
    return head(title, SERVED_POLICY, " data-served=\"" + path + "\"") + script() + foot();
  }

  private String head(String title, String policy, String served) {
    return html.substring(0, html.indexOf(DATA))
        .replace(STYLE, css)
        .replace(POLICY, policy)
        .replace(SERVED, served)
        .replace(TITLE, escaped(title.isEmpty() ? "camhook report" : title + " · camhook report"));
  }

  String script() {
    return "<script>\n" + js + "</script>\n";
  }

  String foot() {
    return html.substring(html.indexOf(DATA) + DATA.length());
  }

  private static String escaped(String text) {
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
  }

  private static String resource(String name) throws IOException {
    try (InputStream in = ReportPage.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new IOException("resource " + name + " is missing from the jar of camhook");
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }
}
