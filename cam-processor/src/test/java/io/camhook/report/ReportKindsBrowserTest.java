package io.camhook.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.openqa.selenium.By;
import org.openqa.selenium.Keys;
import org.openqa.selenium.OutputType;
import org.openqa.selenium.WebElement;
import org.openqa.selenium.chrome.ChromeDriver;

/**
 * Every kind of report on every tab, in both themes, at the widths of a phone, a tablet and a desk:
 * no sideways scrolling, no violation that axe-core finds, and the view that the input asks for.
 * With {@code -Dcamhook.screenshots=DIR} each view of every kind is kept as a picture.
 */
class ReportKindsBrowserTest {
  private static final List<Integer> WIDTHS = List.of(390, 1024, 1440);
  private static final List<String> PLACES =
      List.of(
          "tab=overview",
          "capture=1",
          "capture=1&view=grid",
          "capture=1&view=list",
          "capture=1&view=compare&pins=0:0:gradcam:~1:0:gradcam:",
          "tab=model",
          "tab=model&quantity=ridges",
          "tab=methods");

  /** A place or size in a figure that is none. */
  private static final Pattern BROKEN =
      Pattern.compile(" (x|y|x1|x2|y1|y2|cx|cy|d|width|height)=\"[^\"]*(NaN|undefined)");

  @TempDir static Path folder;
  private static ChromeDriver browser;
  private static String axe;

  @BeforeAll
  static void open_a_browser() throws IOException {
    browser = Browser.start();
    browser.manage().timeouts().scriptTimeout(Duration.ofSeconds(30));
    try (InputStream in = ReportKindsBrowserTest.class.getResourceAsStream("/axe.min.js")) {
      axe = new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  @AfterAll
  static void close_the_browser() {
    if (browser != null) {
      browser.quit();
    }
  }

  private record Look(int width, String theme) {}

  static List<String> kinds() {
    return ReportKinds.NAMES;
  }

  /**
   * A kind takes a minute at every width in both themes: done for pictures, and for all kinds with
   * {@code -Dcamhook.screenshots=DIR}. Otherwise the narrowest and the widest, one in each theme.
   */
  private static List<Look> looks(String kind) {
    if (!kind.equals("pictures") && System.getProperty("camhook.screenshots") == null) {
      return List.of(new Look(390, "dark"), new Look(1440, "light"));
    }
    return WIDTHS.stream()
        .flatMap(width -> Stream.of(new Look(width, "light"), new Look(width, "dark")))
        .toList();
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void report_should_fit_every_width_and_be_accessible(String kind) throws IOException {
    Path file = ReportKinds.write(folder, kind);
    for (Look look : looks(kind)) {
      size(look.width);
      for (String place : PLACES) {
        if (kind.equals("empty") && place.contains("pins")) {
          continue;
        }
        open(file, place, look.theme);
        String where = "%s#%s at %d px, %s".formatted(kind, place, look.width, look.theme);
        assertThat(number("return document.documentElement.scrollWidth"))
            .as("width of the page, %s", where)
            .isLessThanOrEqualTo(look.width);
        assertThat(
                number(
                    "return [...document.querySelectorAll('.page, .view')].reduce((most, e) =>"
                        + " Math.max(most, e.scrollWidth - e.clientWidth), 0)"))
            .as("sideways scrolling within, %s", where)
            .isLessThanOrEqualTo(1);
        assertThat(violations()).as(where).isEmpty();
        keep(kind, place, look.width, look.theme);
      }
    }
  }

  @Test
  void tabs_should_fit_a_phone_also_with_many_captures() throws IOException {
    size(390);
    open(ReportKinds.write(folder, "large"), "tab=overview", "light");
    assertThat(
            number(
                "return Math.max(...[...document.querySelectorAll('[role=tab]')].map(t =>"
                    + " Math.ceil(t.getBoundingClientRect().right)))"))
        .isLessThanOrEqualTo(390);
  }

  /**
   * What the grid's budget of 200 ms for 60 thumbnails rests on, whatever the machine: the number
   * of captures does not matter, a block of thumbnails is parsed once, a tile is painted once with
   * two drawings (picture and heat), and scrolling by a row paints no more than a row.
   */
  @Test
  void grid_should_paint_each_tile_in_view_once() throws IOException {
    size(1440);
    open(ReportKinds.write(folder, "large"), "capture=1", "light");
    awaitTrue("document.querySelectorAll('.row').length > 5");
    browser.executeScript(
        "window.drawn = 0; window.parsed = 0; const draw ="
            + " CanvasRenderingContext2D.prototype.drawImage, parse = JSON.parse;"
            + " CanvasRenderingContext2D.prototype.drawImage = function(...a) { if"
            + " (this.canvas.closest('.tile')) drawn++; return draw.apply(this, a); }; JSON.parse ="
            + " text => { parsed++; return parse(text); }");
    paintGrid("document.querySelector(\"#view input[value='grid']\").click()");
    int tiles = number("return document.querySelectorAll('#gridview .tile').length");
    int columns =
        number(
            "return document.querySelector('#gridview .tiles').querySelectorAll('.tile').length");
    // rows in view, and two beyond at the end
    int rows =
        number(
            "const g = document.getElementById('gridview'), r = g.querySelector('.tiles'); return"
                + " Math.ceil(g.clientHeight / r.getBoundingClientRect().height) + 2");
    assertThat(tiles).isBetween(columns, columns * rows);
    assertThat(number("return drawn")).isEqualTo(2 * tiles);
    assertThat(number("return parsed"))
        .as("blocks of thumbnails")
        .isLessThanOrEqualTo((tiles - 1) / ReportIndex.THUMBNAILS_PER_BLOCK + 1);

    browser.executeScript("drawn = 0; parsed = 0");
    paintGrid("location.hash = location.hash + '&method=cam'");
    assertThat(number("return drawn")).as("another method").isEqualTo(2 * tiles);
    assertThat(number("return parsed")).as("nothing is read again").isZero();

    browser.executeScript(
        "drawn = 0; const g = document.getElementById('gridview'); g.scrollTop +="
            + " g.querySelector('.tiles').getBoundingClientRect().height");
    awaitTrue("drawn === 2 * " + columns);
    browser.executeScript("drawn = 0; document.getElementById('keys').click()");
    assertThat(number("return drawn")).as("nothing in the grid has changed").isZero();
  }

  /** Does something that draws the grid again, and waits until every tile is painted. */
  private static void paintGrid(String what) {
    browser.executeScript("performance.clearMeasures(); " + what);
    awaitTrue("performance.getEntriesByName('camhook:grid').length === 1");
  }

  @Test
  void signal_should_be_drawn_as_lines_over_its_heat_with_an_axis() throws IOException {
    size(1440);
    open(ReportKinds.write(folder, "signal"), "capture=1", "light");
    assertThat(string("return document.getElementById('readout').textContent"))
        .isEqualTo("raw map 32, -1.00 to 1.00");
    // the map's cell 6 of 32 is hot: red at 6.5/32 of the plot, 0 at its far end
    assertThat(pixel("(46 + (c.width - 56) * 6.5 / 32) / c.width", ".3").get(0).intValue())
        .isGreaterThan(
            pixel("(46 + (c.width - 56) * 28.5 / 32) / c.width", ".3").get(0).intValue() + 60);
    assertThat(number("return document.getElementById('overlay').height"))
        .as("a chart, no strip")
        .isGreaterThan(200);
  }

  @Test
  void slices_of_a_volume_should_not_run_into_each_other() throws IOException {
    size(1440);
    open(ReportKinds.write(folder, "volume"), "capture=1&opacity=100", "light");
    // opened where it is hottest: slice 2 of the map's 4 is 5 and 6 of the volume's 8
    assertThat(string("return document.querySelector('output[for=slice]').textContent"))
        .isIn("slice 5 of 8", "slice 6 of 8");
    // slice 5 lies a quarter of a map slice before the hot one: 0.75 of 255 is 191
    assertThat(pixel(".05", ".5").get(0).intValue()).isBetween(185, 200);
    assertThat(pixel(".95", ".5").get(0).intValue()).isLessThan(10);
    open(folder.resolve("volume.html"), "capture=1&opacity=100&slice=0", "light");
    assertThat(pixel(".05", ".5").get(0).intValue()).as("slice 1 is cold").isLessThan(10);
  }

  @Test
  void words_should_be_text_on_the_colour_of_their_heat() throws IOException {
    size(1440);
    open(ReportKinds.write(folder, "words"), "capture=1&opacity=100", "light");
    assertThat(strings("return [...document.querySelectorAll('.tok')].map(e => e.textContent)"))
        .containsExactly(
            "[CLS]", "the", "film", "was", "un", "believ", "ably", "good", "<script>", "[SEP]");
    // Raw 2 of 2 speaks for the score: red, at 0.57^0.8 = 0.64 of its strength so that ink can be
    // read on it. Raw -1 speaks against it: blue, at (0.57 / 2)^0.8 = 0.37.
    List<String> backgrounds =
        strings(
            "return [...document.querySelectorAll('.tok')].map(e =>"
                + " getComputedStyle(e).backgroundColor)");
    assertThat(backgrounds.get(7)).startsWith("rgba(190, 24, 40, 0.6");
    assertThat(backgrounds.get(8)).startsWith("rgba(33, 72, 181, 0.3");
  }

  @Test
  void rows_of_production_captures_should_be_told_apart() throws IOException {
    size(1440);
    open(ReportKinds.write(folder, "signal"), "capture=1", "light");
    assertThat(
            strings("return [...document.querySelectorAll('.row .name')].map(e => e.textContent)"))
        .startsWith("#0 · 06:00:00.000", "#1 · 06:01:00.000");
    assertThat(
            strings(
                "return [...document.querySelectorAll('#predictions .label')].map(e =>"
                    + " e.textContent)"))
        .as("labels are text, in any script")
        .containsExactly("<b>first</b>", "zwölf 猫 ×");
  }

  @Test
  void weight_of_a_channel_should_be_seen_whole() throws IOException {
    size(1440);
    open(ReportKinds.write(folder, "pictures"), "capture=1&layer=features.5", "light");
    assertThat(
            number(
                "return [...document.querySelectorAll('.chan .cap span:not(.hiddentext)')].filter(e"
                    + " => e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).overflow !=="
                    + " 'visible').length"))
        .isZero();
    assertThat(
            number(
                "return [...document.querySelectorAll('.chan')].filter(b =>"
                    + " [...b.querySelectorAll('.cap span:not(.hiddentext)')].some(s =>"
                    + " s.getBoundingClientRect().right > b.getBoundingClientRect().right +"
                    + " 1)).length"))
        .isZero();
  }

  @Test
  void damage_should_be_said_on_every_tab() throws IOException {
    size(1440);
    Path file = ReportKinds.write(folder, "damaged");
    for (String tab : List.of("overview", "captures", "model", "methods")) {
      open(file, "tab=" + tab, "light");
      assertThat(string("return document.getElementById('troubles').textContent"))
          .contains("captures-000001.tar: capture 3 at 1024: wrong checksum")
          .contains("not closed");
    }
    open(ReportKinds.write(folder, "pictures"), "tab=overview", "light");
    assertThat(string("return String(document.getElementById('troubles').hidden)"))
        .isEqualTo("true");
    assertThat(string("return document.getElementById('provenance').textContent"))
        .contains(
            "PyTorch 2.7.1", "on host, process 7", "every: 100", "60 passes captured", "0 dropped");
  }

  @Test
  void marks_of_the_overview_should_filter() throws IOException {
    size(1440);
    open(ReportKinds.write(folder, "pictures"), "tab=overview", "light");
    // i % 7 == 3 shows a square that nobody predicts: 3, 10, 17 … 59 are 9 of 60
    assertThat(
            string(
                "return [...document.querySelectorAll('.fact')].map(e => e.textContent).join('|')"))
        .contains("85.0 %named right", "9wrong");
    browser.executeScript(
        "[...document.querySelectorAll('.fact')].find(e =>"
            + " e.textContent.includes('wrong')).click()");
    awaitTrue("document.getElementById('shown').textContent.startsWith('9 of 60')");
    assertThat(string("return document.getElementById('chips').textContent")).contains("wrong");
    // sorted by confidence, high first
    browser.executeScript("document.querySelector('#tab-overview').click()");
    browser.executeScript("document.querySelector('.hbar').click()");
    awaitTrue("document.querySelectorAll('.chip').length === 2");
  }

  /** By pointer; each says how many captures it is about, and the address filters to as many. */
  @Test
  void every_mark_of_the_overview_should_filter_to_what_it_says() throws IOException {
    size(1440);
    open(ReportKinds.write(folder, "pictures"), "tab=overview", "light");
    for (String marks : List.of(".hbar", ".bin:not(:disabled)", "#confusion .cell", ".mini")) {
      int number = number("return document.querySelectorAll('#overview " + marks + "').length");
      assertThat(number).as(marks).isPositive();
      for (int i = 0; i < number; i++) {
        String mark = "document.querySelectorAll('#overview " + marks + "')[" + i + "]";
        String said =
            string(
                "const m = %1$s, text = m.getAttribute('aria-label') || m.textContent; m.click();"
                        .formatted(mark)
                    + " return text");
        String captures = said.replaceAll(".*?(\\d+)\\D*$", "$1");
        awaitTrue("document.querySelectorAll('.chip').length > 0");
        assertThat(shown()).as(said).isEqualTo(captures + " of 60");
        browser.executeScript("location.hash = 'tab=overview'");
        awaitTrue(
            "document.querySelectorAll('.chip').length === 0 &&"
                + " !document.getElementById('overview').hidden");
      }
    }
  }

  /**
   * The maps of Grad-CAM and CAM correlate less than on average in some captures: those are shown,
   * the least first.
   */
  @Test
  void cell_of_the_agreement_should_show_where_two_methods_agree_less() throws IOException {
    size(1440);
    open(ReportKinds.write(folder, "tokens"), "tab=overview", "light");
    double mean =
        Double.parseDouble(string("return document.querySelector('#agreement .cell').textContent"));
    browser.findElement(By.cssSelector("#agreement .cell")).sendKeys(Keys.ENTER);
    awaitTrue("document.querySelectorAll('#gridview .tile').length > 0");
    List<Double> shown =
        strings(
                "return [...document.querySelectorAll('#gridview .tile')].map(t =>"
                    + " t.dataset.capture)")
            .stream()
            .map(i -> correlation(Integer.parseInt(i)))
            .toList();
    assertThat(shown).isSorted().hasSizeBetween(1, 7).allMatch(r -> r < mean + 0.005);
    assertThat(string("return document.getElementById('chips').textContent"))
        .contains("agreement of");
  }

  private static double correlation(int capture) {
    Map<String, HeatmapThumbnails.Small> heats =
        HeatmapThumbnails.of(ReportKinds.captures("tokens").get(capture));
    return heats.get("gradcam").correlation(heats.get("cam"));
  }

  @Test
  void marks_should_filter_by_keyboard_and_keep_the_focus() throws IOException {
    size(1440);
    open(ReportKinds.write(folder, "pictures"), "tab=overview", "light");
    for (String mark : List.of(".hbar", ".bin:not(:disabled)")) {
      browser.findElement(By.cssSelector("#overview " + mark)).sendKeys(Keys.ENTER);
      awaitTrue("document.querySelectorAll('.chip').length === 1");
      assertThat(string("return document.activeElement.getAttribute('aria-pressed')"))
          .as(mark)
          .isEqualTo("true");
      browser.switchTo().activeElement().sendKeys(Keys.ENTER);
      awaitTrue("document.querySelectorAll('.chip').length === 0");
    }
  }

  @Test
  void method_of_a_metric_should_choose_its_maps_and_a_number_its_captures() throws IOException {
    size(1440);
    open(ReportKinds.write(folder, "pictures"), "tab=methods", "light");
    for (String where : List.of("#metrics-table th .link", ".key .link")) {
      WebElement cam =
          browser.findElements(By.cssSelector(where)).stream()
              .filter(e -> e.getText().equals("CAM"))
              .findFirst()
              .orElseThrow();
      cam.sendKeys(Keys.ENTER);
      awaitTrue("location.hash.includes('method=cam')");
      assertThat(string("return document.activeElement.getAttribute('aria-pressed')"))
          .isEqualTo("true");
      assertThat(string("return document.querySelector('tr[aria-selected=true]').textContent"))
          .startsWith("CAM");
      browser.switchTo().activeElement().sendKeys(Keys.ENTER);
      awaitTrue("!location.hash.includes('method=cam')");
    }
    browser.findElement(By.cssSelector("#metrics-table td .link")).sendKeys(Keys.ENTER);
    awaitTrue("location.hash.includes('sort=road%20of%20gradcam')");
    // ROAD is better when higher: the worst first
    assertThat(string("return document.querySelector('#gridview .tile').dataset.capture"))
        .isEqualTo("0");
  }

  @Test
  void best_metric_should_not_be_bold_among_ties() throws IOException {
    size(1440);
    open(ReportKinds.write(folder, "pictures"), "tab=methods", "light");
    // ROAD: 0.50 and 0.49 differ by less than 0.018, the standard error; Deletion: 0.30 beats 0.40
    assertThat(
            strings(
                "return [...document.querySelectorAll('#metrics-table td.tie')].map(e =>"
                    + " e.textContent)"))
        .containsExactly("0.50 ± 0.10 n=60", "0.49 ± 0.10 n=60");
    assertThat(
            strings(
                "return [...document.querySelectorAll('#metrics-table td.best')].map(e =>"
                    + " e.textContent)"))
        .containsExactly("0.3 ± 0.1 n=60");
  }

  @Test
  void changed_answers_should_come_first_with_the_difference_of_their_maps() throws IOException {
    size(1440);
    open(ReportKinds.write(folder, "compare"), "capture=5", "light");
    awaitTrue("document.querySelectorAll('#difference .pane').length === 3");
    assertThat(
            strings(
                "return [...document.querySelectorAll('.row .what span:first-child')].map(e =>"
                    + " e.textContent)"))
        .containsExactly("red disc → blue disc", "blue disc", "red disc", "blue disc");
    assertThat(string("return document.querySelector('#difference h3').textContent"))
        .isEqualTo("Before and after answer changed");
  }

  @Test
  void figure_should_be_taken_along_with_scale_caption_and_provenance() throws IOException {
    size(1440);
    open(ReportKinds.write(folder, "pictures"), "capture=1&layer=features.5", "light");
    // the file that the page offers is read instead of saved
    String svg = saved("figure-svg");
    assertThat(svg)
        .startsWith("<svg")
        .contains("<image")
        .contains("Grad-CAM of red disc at features.5")
        .contains("captures/demo")
        .contains(">0.852</text>"); // 1.5 exp(-30 / 288) - 0.5
    assertThat(saved("figure-png")).startsWith("\u0089PNG");
  }

  @Test
  void notes_should_be_saved_and_read_back() throws IOException {
    size(1440);
    open(ReportKinds.write(folder, "pictures"), "capture=2", "light");
    browser.executeScript("localStorage.clear(); document.getElementById('star').click()");
    awaitTrue("document.getElementById('star').getAttribute('aria-pressed') === 'true'");
    browser.executeScript(
        "document.getElementById('f-star').value = '1';"
            + " document.getElementById('f-star').dispatchEvent(new Event('change'))");
    awaitTrue("document.getElementById('shown').textContent.startsWith('1 of 60')");
    browser.executeScript("localStorage.clear()");
  }

  @Test
  void losses_the_hash_of_the_model_and_deleted_captures_should_be_told() throws IOException {
    size(1440);
    open(ReportKinds.write(folder, "objects"), "tab=overview", "light");
    assertThat(string("return document.getElementById('provenance').textContent"))
        .contains(
            "11 passes captured: 8 written, 2 dropped, 1 failed",
            "2: queue full",
            "1: pass could not be captured",
            "12 captures, the oldest",
            "SHA-256 of its file 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08");
    open(ReportKinds.write(folder, "signal"), "tab=overview", "light");
    assertThat(string("return document.getElementById('provenance').textContent"))
        .contains(
            "SHA-256 of its parameters"
                + " 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08");
  }

  @ParameterizedTest
  @CsvSource({
    "tab=overview, 7",
    "capture=1, 4",
    "tab=model, 3",
    "tab=model&quantity=ridges, 3",
    "tab=methods, 3"
  })
  void figure_of_every_card_should_have_its_provenance(String place, int cards) throws IOException {
    size(1440);
    open(ReportKinds.write(folder, "pictures"), place, "light");
    awaitTrue(
        "[...document.querySelectorAll('.take button')].filter(b => b.textContent === 'SVG'"
            + " && b.checkVisibility()).length >= "
            + cards);
    for (String form : List.of("SVG", "PNG")) {
      List<String> figures =
          ((List<?>)
                  browser.executeAsyncScript(
                      """
                      const [form, done] = arguments, files = [], make = URL.createObjectURL;
                      URL.createObjectURL = blob => { files.push(blob); return 'about:blank'; };
                      HTMLAnchorElement.prototype.click = () => {};
                      const buttons = [...document.querySelectorAll('.take button')].filter(b => b.textContent === form && b.checkVisibility());
                      buttons.forEach(b => b.click());
                      (function look() {
                        if (files.length < buttons.length) { setTimeout(look, 20); return; }
                        URL.createObjectURL = make;
                        Promise.all(files.map(async f => `${buttons.length} ${f.type} ${f.type.includes('svg') ? await f.text() : f.size}`)).then(done);
                      })();
                      """,
                      form))
              .stream().map(String::valueOf).toList();
      assertThat(figures).hasSizeGreaterThanOrEqualTo(cards);
      if (form.equals("SVG")) {
        assertThat(figures)
            .allMatch(svg -> svg.contains("image/svg+xml") && svg.contains("<svg"))
            .allMatch(svg -> svg.contains("captures/demo · camhook test"))
            .noneMatch(
                svg -> BROKEN.matcher(svg).find()); // "NaN" alone is also a column, and base64
      } else {
        assertThat(figures).allMatch(png -> Integer.parseInt(png.replaceAll(".* ", "")) > 1000);
      }
    }
  }

  @Test
  void comparison_should_be_taken_along_with_the_scale_that_it_shares() throws IOException {
    size(1440);
    Path file = ReportKinds.write(folder, "pictures");
    String pins = "capture=1&view=compare&pins=0:0:gradcam:features.5~0:0:cam:features.5";
    open(file, pins + "&scale=shared", "light");
    awaitTrue("document.querySelectorAll('#compareview .pane').length === 2");
    String svg =
        String.valueOf(
            browser.executeAsyncScript(
                "const done = arguments[0]; URL.createObjectURL = blob => {"
                    + " blob.text().then(done); return 'about:blank'; };"
                    + " HTMLAnchorElement.prototype.click = () => {};"
                    + " [...document.querySelectorAll('#compareview button')].find(b =>"
                    + " b.textContent === 'SVG').click()"));
    // Grad-CAM ends at 0.852, CAM at 2: what they share ends at 2
    assertThat(svg).contains(">0</text>", ">2.00</text>");
  }

  @Test
  void charts_and_words_should_be_read_with_the_arrow_keys() throws IOException {
    size(1440);
    Path pictures = ReportKinds.write(folder, "pictures");
    open(pictures, "tab=model&quantity=ridges&module=features.5", "light");
    WebElement ridges = browser.findElement(By.cssSelector("#layercard svg.chart"));
    ridges.sendKeys(Keys.ARROW_DOWN, Keys.ARROW_DOWN, Keys.ARROW_DOWN);
    assertThat(string("return document.querySelector('#layercard .readout').textContent"))
        .startsWith("step 3: ");
    ridges.sendKeys(Keys.ENTER);
    awaitTrue("document.getElementById('name')?.textContent === 'picture-00002.png'");

    open(pictures, "tab=methods", "light");
    WebElement scatter = browser.findElement(By.cssSelector("#scatter svg"));
    scatter.sendKeys(Keys.HOME, Keys.ENTER);
    awaitTrue("document.getElementById('name')?.textContent.startsWith('picture-')");

    open(ReportKinds.write(folder, "words"), "capture=1", "light");
    WebElement words = browser.findElement(By.id("words"));
    words.sendKeys(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT);
    assertThat(string("return document.getElementById('readout').textContent"))
        .startsWith("“the” (1): heat 0.05, raw 0.1");
  }

  @Test
  void words_that_are_compared_should_have_one_cursor() throws IOException {
    size(1440);
    String pins = "capture=1&view=compare&pins=0:0:gradcam:encoder.layer.5~1:0:gradcam:";
    open(ReportKinds.write(folder, "words"), pins, "light");
    awaitTrue("document.querySelectorAll('#compareview .words').length === 2");
    browser.findElement(By.cssSelector("#compareview .words")).sendKeys(Keys.END);
    assertThat(
            strings(
                "return [...document.querySelectorAll('#compareview .words .at')].map(e =>"
                    + " e.textContent)"))
        .containsExactly("[SEP]", "[SEP]");
    assertThat(
            strings(
                "return [...document.querySelectorAll('#compareview .readout')].map(e =>"
                    + " e.textContent)"))
        .allMatch(text -> text.startsWith("“[SEP]” (9)"));
  }

  @Test
  void single_keys_should_be_switched_off() throws IOException {
    size(1440);
    open(ReportKinds.write(folder, "pictures"), "capture=1", "light");
    WebElement body = browser.findElement(By.tagName("body"));
    body.sendKeys("?");
    assertThat(string("return document.querySelector('#zoom .keys').textContent"))
        .contains("pin the map to compare", "star", "note");
    browser.findElement(By.id("single-keys")).click();
    body.sendKeys(Keys.ESCAPE);
    body.sendKeys("g");
    assertThat(string("return document.getElementById('captures').dataset.view")).isEqualTo("one");
    browser.executeScript("localStorage.removeItem('camhook:single-keys')");
  }

  @Test
  void back_should_lift_the_filter_that_a_mark_set() throws IOException {
    size(1440);
    open(ReportKinds.write(folder, "pictures"), "tab=overview", "light");
    browser.executeScript("document.querySelector('.hbar').click()");
    awaitTrue("document.querySelectorAll('.chip').length === 1");
    browser.navigate().back();
    awaitTrue("document.querySelectorAll('.chip').length === 0");
    assertThat(string("return document.getElementById('overview').hidden")).isEqualTo("false");
  }

  @Test
  void contact_sheet_should_hold_every_capture_of_the_selection() throws IOException {
    size(1440);
    open(ReportKinds.write(folder, "pictures"), "capture=1&verdict=wrong", "light");
    Object printed =
        browser.executeAsyncScript(
            "const done = arguments[0]; window.print = () =>"
                + " done(`${document.querySelectorAll('#sheet figure').length}"
                + " ${[...document.querySelectorAll('#sheet canvas')].filter(c =>"
                + " c.getContext('2d').getImageData(80, 80, 1, 1).data[3] === 255).length}"
                + " ${document.querySelector('#sheet').textContent}`);"
                + " [...document.querySelectorAll('#toolbar button')].find(b => b.textContent ==="
                + " 'Print').click()");
    assertThat(String.valueOf(printed))
        .startsWith("9 9 ")
        .contains("9 of 60 captures", "opacity 50 %", "captures/demo");
    browser.executeCdpCommand("Emulation.setEmulatedMedia", Map.of("media", "print"));
    try {
      assertThat(
              number(
                  "return [...document.querySelectorAll('#sheet figure')].filter(f =>"
                      + " f.getBoundingClientRect().height > 100).length"))
          .as("figures that paper shows")
          .isEqualTo(9);
    } finally {
      browser.executeCdpCommand("Emulation.setEmulatedMedia", Map.of("media", ""));
    }
  }

  @Test
  void notes_of_a_file_should_be_read() throws IOException {
    size(1440);
    Path notes =
        Files.writeString(
            folder.resolve("notes.json"),
            "{\"camhook\": \"notes\", \"notes\": {\"picture-00004.png\": {\"star\": true, \"note\":"
                + " \"<b>look</b>\"}}}");
    open(ReportKinds.write(folder, "pictures"), "tab=overview", "light");
    browser.executeScript("localStorage.clear()");
    browser.findElement(By.cssSelector("input[type=file]")).sendKeys(notes.toString());
    awaitTrue("document.getElementById('status').textContent === '1 notes read.'");
    browser.executeScript("location.hash = 'capture=5'");
    awaitTrue("document.querySelector('#capture .note')?.textContent === '<b>look</b>'");
    browser.executeScript("localStorage.clear()");
  }

  /** A notebook shows the page inside its own, often without an origin: no storage, no address. */
  @Test
  void page_should_work_in_a_frame_without_origin() throws IOException {
    size(1440);
    String page =
        Files.readString(ReportKinds.write(folder, "pictures"))
            .replace("&", "&amp;")
            .replace("\"", "&quot;");
    Path host =
        Files.writeString(
            folder.resolve("notebook.html"),
            "<!doctype html><meta charset=utf-8><iframe sandbox='allow-scripts' srcdoc=\""
                + page
                + "\" width='100%' height='800'></iframe>");
    browser.get(host.toUri().toString());
    browser.switchTo().frame(0);
    try {
      awaitTrue("document.getElementById('name')?.textContent === 'picture-00000.png'");
      browser.executeScript("document.querySelector('#tab-overview').click()");
      awaitTrue("document.querySelectorAll('.hbar').length === 2");
      browser.executeScript("document.querySelector('.hbar').click()");
      awaitTrue("document.querySelectorAll('.chip').length === 1");
      browser.executeScript(
          "document.querySelector('#tab-captures').click();"
              + " document.querySelector(\"#view input[value='grid']\").click()");
      awaitTrue("document.querySelectorAll('#gridview .tile').length > 10");
      browser.executeScript("document.querySelector('#gridview .tile').click()");
      awaitTrue("document.getElementById('star') !== null");
      browser.executeScript("document.getElementById('star').click()");
      awaitTrue("document.getElementById('star').getAttribute('aria-pressed') === 'true'");
    } finally {
      browser.switchTo().defaultContent();
    }
  }

  /** The beginning of what a button saves, a character a byte. */
  private static String saved(String button) {
    return String.valueOf(
        browser.executeAsyncScript(
            "const [id, done] = arguments, make = URL.createObjectURL;URL.createObjectURL = blob =>"
                + " { URL.createObjectURL = make; blob.arrayBuffer().then(b => done([...new"
                + " Uint8Array(b)].map(c => String.fromCharCode(c)).join(''))); return"
                + " 'about:blank'; };HTMLAnchorElement.prototype.click = () => {};"
                + "document.getElementById(id).click()",
            button));
  }

  private static void size(int width) {
    // the window of a headless browser cannot be narrower than 500 px; its device can
    browser.executeCdpCommand(
        "Emulation.setDeviceMetricsOverride",
        Map.of("width", width, "height", 900, "deviceScaleFactor", 1, "mobile", false));
  }

  private static void open(Path file, String place, String theme) {
    browser.executeCdpCommand(
        "Emulation.setEmulatedMedia",
        Map.of("features", List.of(Map.of("name", "prefers-color-scheme", "value", theme))));
    browser.get("about:blank");
    browser.get(file.toUri() + "#" + place);
    browser.executeScript("localStorage.removeItem('camhook:theme')");
    if (!theme.equals(string("return document.documentElement.dataset.theme"))) {
      browser.navigate().refresh();
    }
    awaitTrue(
        "[...document.querySelectorAll('main > section')].some(e => !e.hidden &&"
            + " e.textContent.length > 20) && (document.getElementById('captures').hidden ||"
            + " document.getElementById('capture').hidden || document.querySelector('#capture"
            + " h2'))");
  }

  private static List<?> violations() {
    browser.executeScript(axe);
    return (List<?>)
        browser.executeAsyncScript(
            "const done = arguments[0];axe.run(document, { resultTypes: ['violations'] }).then(r =>"
                + " done(r.violations.map(v => `${v.id}: ${v.help}: ${v.nodes.slice(0, 3).map(n =>"
                + " n.html.slice(0, 160) + ' ' + n.failureSummary.slice(0, 300)).join(' | ')}`)), e"
                + " => done([String(e)]))");
  }

  private static void keep(String kind, String place, int width, String theme) throws IOException {
    String to = System.getProperty("camhook.screenshots");
    if (to == null) {
      return;
    }
    Path directory = Files.createDirectories(Path.of(to));
    String name =
        "%s-%s-%d-%s.png"
            .formatted(
                kind, place.replaceAll("&pins=.*", "").replaceAll("[^a-z0-9]+", "-"), width, theme);
    Files.write(directory.resolve(name), browser.getScreenshotAs(OutputType.BYTES));
  }

  /** As "9 of 60" stands above the captures of every view. */
  private static String shown() {
    browser.executeScript("document.querySelector('#tab-captures').click()");
    awaitTrue("document.getElementById('shown') !== null");
    return string("return document.getElementById('shown').textContent")
        .replace("all 60", "60 of 60");
  }

  private static void awaitTrue(String condition) {
    Object seen =
        browser.executeAsyncScript(
            "const done = arguments[0], end = performance.now() + 10000;"
                + "(function look() { if ("
                + condition
                + ") done(true); else if (performance.now() > end) done(false); else"
                + " setTimeout(look, 10); })()");
    assertThat(seen).as(condition).isEqualTo(true);
  }

  private static int number(String script) {
    return ((Number) browser.executeScript(script)).intValue();
  }

  private static String string(String script) {
    return String.valueOf(browser.executeScript(script));
  }

  private static List<String> strings(String script) {
    return ((List<?>) browser.executeScript(script)).stream().map(String::valueOf).toList();
  }

  /** RGB of the drawing at a place given as JavaScript of the canvas {@code c}. */
  private static List<Number> pixel(String x, String y) {
    List<?> rgb =
        (List<?>)
            browser.executeScript(
                "const c = document.getElementById('overlay'); return"
                    + " [...c.getContext('2d').getImageData("
                    + "Math.floor((%s) * c.width), Math.floor((%s) * c.height), 1, 1).data]"
                        .formatted(x, y));
    return rgb.stream().map(v -> (Number) v).toList();
  }
}
