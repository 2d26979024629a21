package io.camhook.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.openqa.selenium.By;
import org.openqa.selenium.Dimension;
import org.openqa.selenium.Keys;
import org.openqa.selenium.WebElement;
import org.openqa.selenium.chrome.ChromeDriver;
import org.openqa.selenium.logging.LogEntry;
import org.openqa.selenium.logging.LogType;

/**
 * The report in a real browser, opened from {@code file://}. The pictures are {@link
 * SyntheticCaptures}: grey, a red disc centred at (1/4, 1/2), a blue one at (3/4, 1/2); the first
 * colormap goes from black to red.
 */
class ReportBrowserTest {
  @TempDir static Path folder;
  private static ChromeDriver browser;

  @BeforeAll
  static void open_a_browser() {
    browser = Browser.start();
    browser.manage().window().setSize(new Dimension(1280, 900));
    browser.manage().timeouts().scriptTimeout(Duration.ofSeconds(15));
  }

  @AfterAll
  static void close_the_browser() {
    if (browser != null) {
      browser.quit();
    }
  }

  @BeforeEach
  void open_the_report() throws Exception {
    Path file = folder.resolve("report.html");
    if (!Files.exists(file)) {
      try (ReportWriter report =
          new ReportWriter(file, SyntheticCaptures.info("shapes"), ReportLimits.DEFAULT)) {
        for (int i = 0; i < 60; i++) {
          ReportCapture capture = SyntheticCaptures.capture(i);
          report.add(capture);
          capture
              .channels()
              .forEach(
                  c ->
                      report
                          .statistics()
                          .add(c.layer(), "activation", LayerStatistics.Step.of(c.values())));
        }
        report.metrics(SyntheticCaptures.metrics());
        report.finish();
      }
    }
    browser.get("about:blank");
    browser.manage().logs().get(LogType.BROWSER);
    browser.get(file.toUri().toString());
    awaitText("#name", "picture-00000.png");
  }

  @Test
  void overlay_should_follow_the_opacity_slider() {
    // Without heatmap the red disc is what was fed; with the heatmap alone it is the colormap's
    // top.
    opacity(0);
    assertThat(pixel(0.25, 0.5)).satisfies(rgb -> near(rgb, 210, 50, 40, 12));
    assertThat(pixel(0.75, 0.5)).satisfies(rgb -> near(rgb, 40, 50, 210, 12));
    opacity(100);
    assertThat(pixel(0.25, 0.5)).satisfies(rgb -> near(rgb, 255, 0, 0, 8));
    assertThat(pixel(0.75, 0.5)).satisfies(rgb -> near(rgb, 0, 0, 0, 2));
    assertThat(text("output[for=opacity]")).isEqualTo("100 %");
    // Half way: the mean of both.
    opacity(50);
    assertThat(pixel(0.75, 0.5)).satisfies(rgb -> near(rgb, 20, 25, 105, 8));
  }

  @Test
  void overlay_should_follow_the_class() {
    opacity(100);
    choose("target", "1");
    assertThat(pixel(0.25, 0.5)).satisfies(rgb -> near(rgb, 0, 0, 0, 2));
    assertThat(pixel(0.75, 0.5)).satisfies(rgb -> near(rgb, 255, 0, 0, 8));
    assertThat(find("#overlay").getDomAttribute("aria-label"))
        .isEqualTo("Grad-CAM of blue disc at all layers over the picture");
    assertThat(text("#predictions li.target .label")).isEqualTo("blue disc");
  }

  @Test
  void overlay_should_follow_the_method_and_the_layer() {
    opacity(100);
    // Grad-CAM covers the disc: 0.1 of the width beside its centre is still warm. CAM marks one
    // cell.
    assertThat(pixel(0.35, 0.5)[0]).isGreaterThan(60);
    choose("method", "cam");
    assertThat(pixel(0.4, 0.5)).satisfies(rgb -> near(rgb, 0, 0, 0, 2));
    // cell (3, 6) of 12: its centre is at 3.5/12, 6.5/12
    assertThat(pixel(3.5 / 12, 6.5 / 12)).satisfies(rgb -> near(rgb, 255, 0, 0, 8));
    choose("layer", "features.5");
    assertThat(find("#overlay").getDomAttribute("aria-label"))
        .contains("CAM of red disc at features.5");
    assertThat(text("#readout")).isEqualTo("raw map 12×12, 0 to 2.00");
    assertThat(browser.findElements(By.cssSelector("#grid .chan"))).hasSize(16);
    choose("layer", "features.2");
    assertThat(browser.findElements(By.cssSelector("#grid .chan"))).hasSize(8);
  }

  @Test
  void map_of_every_class_should_be_seen_at_once() {
    assertThat(browser.findElements(By.cssSelector(".mini"))).hasSize(4);
    find(".mini[data-target='1'][data-method=cam]").click();
    assertThat(find("#overlay").getDomAttribute("aria-label")).contains("CAM of blue disc");
    assertThat(find(".mini[data-target='1'][data-method=cam]").getDomAttribute("aria-pressed"))
        .isEqualTo("true");
  }

  @Test
  void channels_should_be_sorted_and_enlarged() {
    choose("layer", "features.2");
    // weights for "red disc" are +0.01(c+1) for even c, -0.01(c+1) for odd c: largest is channel 6
    assertThat(channels()).startsWith("6", "4", "2", "0").endsWith("7");
    choose("sort", "index");
    assertThat(channels()).containsExactly("0", "1", "2", "3", "4", "5", "6", "7");
    find(".chan[data-channel='3']").click();
    assertThat(find("#zoom").isDisplayed()).isTrue();
    assertThat(text("#zoom h2")).isEqualTo("Channel 3");
    find("#zoom button").click();
    assertThat(find("#zoom").isDisplayed()).isFalse();
  }

  @Test
  void list_should_filter_page_and_follow_the_keyboard() {
    assertThat(browser.findElements(By.cssSelector(".row")).size()).isLessThan(30);
    assertThat(text("#range")).endsWith("of 60");
    find("#page-next").click();
    assertThat(text("#range")).doesNotStartWith("1–");
    find("#list").sendKeys(Keys.ARROW_DOWN);
    awaitText("#name", "picture-00001.png");
    find("#list").sendKeys(Keys.END);
    awaitText("#name", "picture-00059.png");
    find("#list").sendKeys(Keys.HOME);
    awaitText("#name", "picture-00000.png");
    find("body").sendKeys("j");
    awaitText("#name", "picture-00001.png");
    find("#search").sendKeys("00042");
    awaitText("#name", "picture-00042.png");
    assertThat(text("#range")).isEqualTo("1–1 of 1");
    find("#search").clear();
    find("#search").sendKeys("nothing like it");
    awaitText("#range", "no match");
    find("#search").sendKeys(Keys.chord(Keys.CONTROL, "a"), Keys.DELETE);
    find("#class").sendKeys("blue");
    // of 60 captures every second is most probably blue
    awaitText("#range", ".*of 30");
  }

  @Test
  void keys_that_scroll_should_scroll_the_page_and_leave_the_capture_alone() {
    find("#capture").sendKeys(Keys.END);
    find("#capture").sendKeys(Keys.PAGE_DOWN);
    find("#capture").sendKeys(Keys.ARROW_DOWN);
    assertThat(text("#name")).isEqualTo("picture-00000.png");
    Object end =
        browser.executeAsyncScript(
            "const done = arguments[0], end = performance.now() + 5000;(function look() { const y ="
                + " document.getElementById('capture').scrollTop; if (y > 100 || performance.now()"
                + " > end) done(y); else requestAnimationFrame(look); })()");
    assertThat(((Number) end).doubleValue()).isGreaterThan(100);
  }

  @Test
  void single_keys_should_be_listed_and_switched_off() {
    find("body").sendKeys("?");
    assertThat(find("#zoom").isDisplayed()).isTrue();
    assertThat(browser.findElements(By.cssSelector("#zoom kbd")).size()).isGreaterThan(20);
    find("#single-keys").click();
    find("#zoom .icon").click();
    find("body").sendKeys("j");
    assertThat(text("#name")).isEqualTo("picture-00000.png");
    find("#keys").click();
    find("#single-keys").click();
    find("#zoom .icon").click();
    find("body").sendKeys("j");
    awaitText("#name", "picture-00001.png");
  }

  @Test
  void tabs_should_show_statistics_metrics_and_provenance() {
    find("#tab-model").click();
    assertThat(browser.findElements(By.cssSelector("#statistics tbody tr"))).hasSize(2);
    assertThat(find("#model svg").isDisplayed()).isTrue();
    assertThat(text("#statistics thead")).contains("Mean Std Min Max Norm Zeros");
    find("#tab-methods").click();
    assertThat(text("#metrics-table tbody tr:first-child")).contains("Grad-CAM").contains("98.4 %");
    assertThat(text("#metrics-table td.best")).isEqualTo("98.4 %");
    find("#tab-overview").click();
    assertThat(text("#overview")).contains("captures/demo").doesNotContain("[object");
  }

  @Test
  void chart_should_follow_the_quantity_and_the_layer() throws Exception {
    Path file = folder.resolve("steps.html");
    try (ReportWriter report =
        new ReportWriter(file, SyntheticCaptures.info("steps"), ReportLimits.DEFAULT)) {
      for (int step = 0; step < 5; step++) {
        // norms 0, 1, 4, 9, 16; the second layer has none that is finite at step 3
        report.statistics().add("fc", "gradient", step(step * step));
        report.statistics().add("conv", "activation", step(step == 3 ? Double.NaN : 2));
      }
      report.finish();
    }
    browser.get(file.toUri().toString());
    assertThat(find("#model").isDisplayed()).as("without captures the layers come first").isTrue();
    // band, least, greatest, mean, and a mark where conv has no finite value
    assertThat(browser.findElements(By.cssSelector("#model svg path"))).hasSize(5);
    find("#statistics [id='module-fc']").click();
    choose("kind", "gradient");
    choose("quantity", "norm");
    assertThat(find("#model svg").getDomAttribute("aria-label"))
        .isEqualTo("Norm of fc gradient over 5 steps");
    // The plot is 238 high from y = 12: 16 is at its top, 0 at its bottom, 4 a quarter above it.
    assertThat(find("#model svg path.line").getDomAttribute("d"))
        .startsWith("M62.0 250.0L")
        .contains(" 190.5L")
        .endsWith("L1026.0 12.0");
    choose("kind", "activation");
    find("#statistics [id='module-conv']").click();
    assertThat(find("#model svg").getDomAttribute("aria-label"))
        .isEqualTo("Norm of conv activation over 5 steps");
    assertThat(find("#model svg path.line").getDomAttribute("d").split("L")).hasSize(4);
    choose("quantity", "zeros");
    assertThat(text("#model svg")).contains("25.0 %");
  }

  private static LayerStatistics.Step step(double norm) {
    boolean none = Double.isNaN(norm);
    return new LayerStatistics.Step(
        none ? norm : 1,
        none ? norm : .5,
        none ? norm : 0,
        none ? norm : 2,
        .25,
        norm,
        none ? 1 : 0);
  }

  @Test
  void address_should_name_what_is_shown() {
    choose("target", "1");
    choose("method", "cam");
    awaitAddress("#capture=1&class=1&method=cam");
    String address = browser.getCurrentUrl();
    browser.get("about:blank");
    browser.get(address.replace("capture=1&", "capture=7&"));
    awaitText("#name", "picture-00006.png");
    assertThat(find("#overlay").getDomAttribute("aria-label")).contains("CAM of blue disc");
    browser.executeScript("location.hash = 'section=metrics'"); // an address of an older report
    awaitText("#methods h2", "Methods");
  }

  @Test
  void reload_should_keep_search_colours_and_row() {
    find("#search").sendKeys("0004");
    awaitText("#range", "1–.* of 11"); // 4 and 40 to 49
    find("#list").sendKeys(Keys.ARROW_DOWN);
    awaitText("#name", "picture-00040.png");
    choose("colours", "grey");
    awaitAddress("#capture=41&q=0004&colours=grey");
    browser.navigate().refresh();
    awaitText("#name", "picture-00040.png");
    assertThat(find("#search").getDomProperty("value")).isEqualTo("0004");
    assertThat(find("#colours").getDomProperty("value")).isEqualTo("grey");
    assertThat(find("#row-40").getDomAttribute("aria-selected")).isEqualTo("true");
    assertThat(text("#chips")).contains("“0004”");
  }

  @Test
  void back_should_go_through_what_was_looked_at() {
    find("#row-3").click();
    awaitText("#name", "picture-00003.png");
    find("#tab-overview").click();
    awaitText("#overview h2", "shapes");
    browser.navigate().back();
    awaitText("#name", "picture-00003.png");
    browser.navigate().back();
    awaitText("#name", "picture-00000.png");
  }

  @Test
  void theme_should_be_switched() {
    String before = find("html").getDomAttribute("data-theme");
    find("#theme").click();
    assertThat(find("html").getDomAttribute("data-theme"))
        .isIn("light", "dark")
        .isNotEqualTo(before);
  }

  @Test
  void page_should_run_without_errors_and_without_the_network() {
    choose("method", "cam");
    for (String box : List.of("cells", "fade", "outline")) {
      find("#" + box).click();
    }
    for (String tab : List.of("overview", "model", "methods", "captures")) {
      find("#tab-" + tab).click();
    }
    for (String view : List.of("grid", "list", "compare", "one")) {
      choose("view", view);
    }
    Object loaded =
        browser.executeScript(
            "return performance.getEntriesByType('resource').map(e => e.name).filter(n =>"
                + " !n.startsWith('data:'))");
    assertThat((List<?>) loaded).isEmpty();
    assertThat(browser.manage().logs().get(LogType.BROWSER).getAll())
        .extracting(LogEntry::getMessage)
        .isEmpty();
  }

  @Test
  void report_without_captures_should_say_so() throws Exception {
    Path empty = folder.resolve("empty.html");
    try (ReportWriter report =
        new ReportWriter(empty, SyntheticCaptures.info(""), ReportLimits.DEFAULT)) {
      report.finish();
    }
    browser.get(empty.toUri().toString());
    assertThat(text("#capture h2")).isEqualTo("No captures in this report");
    find("#tab-model").click();
    assertThat(text("#model h2")).isEqualTo("Nothing is known of the model");
  }

  private static WebElement find(String css) {
    return browser.findElement(By.cssSelector(css));
  }

  private static String text(String css) {
    List<WebElement> found = browser.findElements(By.cssSelector(css));
    return found.isEmpty() ? "" : found.get(0).getText();
  }

  private static List<String> channels() {
    return browser.findElements(By.cssSelector("#grid .chan")).stream()
        .map(e -> e.getDomAttribute("data-channel"))
        .toList();
  }

  /** Chooses a value of a group of buttons or of a drop-down. */
  private static void choose(String control, String value) {
    browser.executeScript(
        "const c = document.getElementById(arguments[0]);if (c.tagName === 'SELECT') { c.value ="
            + " arguments[1]; c.dispatchEvent(new Event('change')); }else"
            + " c.querySelector(`input[value='${arguments[1]}']`).click();",
        control,
        value);
  }

  private static void opacity(int percent) {
    browser.executeScript(
        "const s = document.getElementById('opacity'); s.value = arguments[0];"
            + "s.dispatchEvent(new Event('input')); s.dispatchEvent(new Event('change'));",
        percent);
  }

  /** Waits until the address ends like this: it changes after the view. */
  private static void awaitAddress(String hash) {
    Object seen =
        browser.executeAsyncScript(
            "const [hash, done] = arguments, end = performance.now() + 5000;(function look() { if"
                + " (location.hash === hash || performance.now() > end) done(location.hash); else"
                + " requestAnimationFrame(look); })()",
            hash);
    assertThat(seen).isEqualTo(hash);
  }

  /** RGB of the overlay at a place given as fractions of its width and height. */
  private static int[] pixel(double x, double y) {
    List<?> rgb =
        (List<?>)
            browser.executeScript(
                "const c = document.getElementById('overlay');return"
                    + " [...c.getContext('2d').getImageData(Math.floor(arguments[0] * c.width),"
                    + " Math.floor(arguments[1] * c.height), 1, 1).data]",
                x,
                y);
    return rgb.stream().mapToInt(v -> ((Number) v).intValue()).toArray();
  }

  /** Within the noise of JPEG and interpolation. */
  private static void near(int[] rgb, int r, int g, int b, int tolerance) {
    assertThat(Math.abs(rgb[0] - r))
        .as("red of %s", java.util.Arrays.toString(rgb))
        .isLessThanOrEqualTo(tolerance);
    assertThat(Math.abs(rgb[1] - g))
        .as("green of %s", java.util.Arrays.toString(rgb))
        .isLessThanOrEqualTo(tolerance);
    assertThat(Math.abs(rgb[2] - b))
        .as("blue of %s", java.util.Arrays.toString(rgb))
        .isLessThanOrEqualTo(tolerance);
  }

  /** Waits in the browser until an element's text matches {@code pattern}. */
  private static void awaitText(String css, String pattern) {
    Object seen =
        browser.executeAsyncScript(
            "const [css, pattern, done] = arguments, end = performance.now() + 10000;"
                + "(function look() {"
                + "  const e = document.querySelector(css), text = e ? e.textContent : null;"
                + "  if (text !== null && new RegExp('^(?:' + pattern + ')$').test(text)"
                + "      || performance.now() > end) done(text);"
                + "  else requestAnimationFrame(look);"
                + "})()",
            css,
            pattern);
    assertThat(seen).as("text of %s", css).isInstanceOf(String.class).asString().matches(pattern);
  }
}
