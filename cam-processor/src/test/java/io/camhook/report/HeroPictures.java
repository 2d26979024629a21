package io.camhook.report;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.openqa.selenium.OutputType;
import org.openqa.selenium.chrome.ChromeDriver;

/**
 * Makes the pictures of README and docs anew from the demo's report: {@code REPORT.html FOLDER}.
 * After {@code ./camhook demo} in the top folder:
 *
 * <pre>{@code
 * mvn -q test-compile exec:java -pl cam-processor -am -Dexec.classpathScope=test \
 *     -Dexec.mainClass=io.camhook.report.HeroPictures -Dexec.args="demo-out/report.html docs/images"
 * }</pre>
 */
final class HeroPictures {
  private static final Map<String, String> PLACES =
      Map.of(
          "report.png", "capture=97",
          "report-overview.png", "tab=overview");

  private HeroPictures() {}

  public static void main(String[] args) throws IOException {
    Path report = Path.of(args[0]).toAbsolutePath();
    Path folder = Files.createDirectories(Path.of(args[1]));
    ChromeDriver browser = Browser.start();
    try {
      browser.executeCdpCommand(
          "Emulation.setDeviceMetricsOverride",
          Map.of("width", 1280, "height", 860, "deviceScaleFactor", 1, "mobile", false));
      for (Map.Entry<String, String> place : PLACES.entrySet()) {
        browser.get("about:blank");
        browser.get(report.toUri() + "#" + place.getValue());
        browser.executeAsyncScript(
            "const done = arguments[0]; requestAnimationFrame(() => setTimeout(done, 1500))");
        Files.write(folder.resolve(place.getKey()), browser.getScreenshotAs(OutputType.BYTES));
      }
    } finally {
      browser.quit();
    }
  }
}
