package io.camhook.report;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.openqa.selenium.OutputType;
import org.openqa.selenium.chrome.ChromeDriver;

/**
 * Makes the pictures of README and docs when {@code docs/images/make} asks for it, from the demo's
 * report and the files that {@code camhook explain} wrote for a photo.
 */
@EnabledIfSystemProperty(named = "camhook.pictures", matches = ".+")
class HeroPictures {
  private static final Map<String, String> PLACES =
      Map.of(
          "report.png", "capture=97",
          "report-overview.png", "tab=overview");

  /** Methods beside the photo, by the ids in the names of the files. */
  private static final Map<String, String> METHODS =
      Map.of(
          "gradcam", "Grad-CAM",
          "gradcam++", "Grad-CAM++",
          "layercam", "LayerCAM",
          "ablationcam", "Ablation-CAM",
          "scorecam", "Score-CAM");

  private static final List<String> ORDER =
      List.of("gradcam", "gradcam++", "layercam", "ablationcam", "scorecam");

  /**
   * Of {@code docs/images/make}: {@code demo/report.html}, {@code explained}, {@code photo.png}.
   */
  private final Path work = Path.of(System.getProperty("camhook.pictures", ""));

  private final Path folder = Path.of("..", "docs", "images");

  @Test
  void make() throws IOException {
    ChromeDriver browser = Browser.start();
    try {
      for (Map.Entry<String, String> place : PLACES.entrySet()) {
        String report = work.resolve("demo/report.html").toUri().toString();
        take(browser, report + "#" + place.getValue(), 860, place.getKey());
      }
      Path page = Files.writeString(work.resolve("methods.html"), strip());
      take(browser, page.toUri().toString(), 232, "methods.png");
    } finally {
      browser.quit();
    }
  }

  private void take(ChromeDriver browser, String address, int height, String name)
      throws IOException {
    browser.executeCdpCommand(
        "Emulation.setDeviceMetricsOverride",
        Map.of("width", 1280, "height", height, "deviceScaleFactor", 1, "mobile", false));
    browser.get("about:blank");
    browser.get(address);
    browser.executeAsyncScript(
        "const done = arguments[0]; requestAnimationFrame(() => setTimeout(done, 1500))");
    Files.write(folder.resolve(name), browser.getScreenshotAs(OutputType.BYTES));
  }

  /** The photo and each method's overlay, side by side. */
  private String strip() {
    List<String> figures = new ArrayList<>();
    figures.add(figure(work.resolve("photo.png"), "Photo"));
    for (String method : ORDER) {
      Path overlay = work.resolve("explained/photo." + method + ".png");
      figures.add(figure(overlay, METHODS.get(method)));
    }
    return """
    <!doctype html><meta charset=utf-8><style>
    body { margin: 0; overflow: hidden; padding: 8px; display: flex; gap: 8px; background: #fff;
           font: 14px system-ui, sans-serif; color: #222 }
    figure { margin: 0; flex: 1; text-align: center }
    img { width: 100%%; aspect-ratio: 1; object-fit: cover; border-radius: 4px }
    </style>%s
    """
        .formatted(String.join("", figures));
  }

  private static String figure(Path picture, String caption) {
    return "<figure><img src='%s'><figcaption>%s</figcaption></figure>"
        .formatted(picture.toUri(), caption);
  }
}
