package io.camhook.report;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * The page around the data: {@code page.html} with style and code put in. It is cut where the data
 * goes: {@link #head} before the index, {@link #script} after it, {@link #foot} at the end.
 *
 * @param html the skeleton
 * @param css the style
 * @param js the code
 */
record ReportPage(String html, String css, String js) {
  private static final List<String> SCRIPTS =
      List.of(
          "data.js",
          "heat.js",
          "dom.js",
          "list.js",
          "channels.js",
          "concepts.js",
          "capture.js",
          "charts.js",
          "curves.js",
          "main.js");
  private static final String STYLE = "/*STYLE*/";
  private static final String TITLE = "<!--TITLE-->";
  private static final String DATA = "<!--DATA-->";

  static ReportPage load() throws IOException {
    StringBuilder js = new StringBuilder("(() => {\n'use strict';\n");
    for (String script : SCRIPTS) {
      js.append(resource(script));
    }
    return new ReportPage(
        resource("page.html"), resource("page.css"), js.append("})();\n").toString());
  }

  String head(String title) {
    return html.substring(0, html.indexOf(DATA))
        .replace(STYLE, css)
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
