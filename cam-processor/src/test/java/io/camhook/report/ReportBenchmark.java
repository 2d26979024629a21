package io.camhook.report;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.openqa.selenium.chrome.ChromeDriver;

/**
 * The cost of a report of many captures, next to its budgets: processor time to build it, without
 * the time to generate the captures; its size; and in Chromium, from {@code file://}, how long list
 * and first capture take, the next capture, a grid of 60 thumbnails with their heat; frames per
 * second while the list scrolls; heap. Arguments: number of captures (10 000 is the budget's), and
 * reports to measure the grid of instead, such as the demo's.
 */
final class ReportBenchmark {
  private static final int GRID = 60;
  private static final int ROUNDS = 7;

  /** Resolves with the time per tile of the grid. */
  private static final String GRID_TIME =
      """
      const done = arguments[0];
      performance.clearMeasures();
      document.querySelector("#view input[value='grid']").click();
      (function look() {
        const m = performance.getEntriesByName('camhook:grid')[0];
        if (m) done(m.duration / m.detail); else setTimeout(look, 2);
      })();
      """;

  /** Resolves with the time for the next capture. */
  private static final String NEXT_TIME =
      """
      const done = arguments[0], name = document.getElementById('name').textContent, start = performance.now();
      document.querySelector("[aria-label='Next capture']").click();
      (function look() {
        if (document.getElementById('name').textContent !== name) done(performance.now() - start);
        else requestAnimationFrame(look);
      })();
      """;

  /** Resolves with frames per second while the list scrolls by 40 pixels per frame. */
  private static final String SCROLL =
      """
      const done = arguments[0], list = document.getElementById('list'), start = performance.now();
      let frames = 0;
      (function frame() {
        list.scrollTop += 40;
        frames++;
        if (performance.now() - start < 2000) requestAnimationFrame(frame);
        else done(1000 * frames / (performance.now() - start));
      })();
      """;

  private ReportBenchmark() {}

  public static void main(String[] args) throws Exception {
    int captures = args.length > 0 ? Integer.parseInt(args[0]) : 10_000;
    List<String> others = Arrays.asList(args).subList(Math.min(1, args.length), args.length);
    Path file = Files.createTempFile("report", ".html");
    try {
      build(file, captures);
      ChromeDriver browser = Browser.start();
      try {
        browser.executeCdpCommand(
            "Emulation.setDeviceMetricsOverride",
            Map.of("width", 1440, "height", 1500, "deviceScaleFactor", 1, "mobile", false));
        open(browser, file);
        for (String other : others.isEmpty() ? List.of(file.toString()) : others) {
          grid(browser, Path.of(other));
        }
      } finally {
        browser.quit();
      }
    } finally {
      Files.deleteIfExists(file);
    }
  }

  private static void build(Path file, int captures) throws IOException {
    long empty;
    try (ReportWriter report = writer(file)) {
      report.finish();
      empty = Files.size(file);
    }
    double before = processorSeconds();
    double madeUp = 0;
    try (ReportWriter report = writer(file)) {
      for (int i = 0; i < captures; i++) {
        double from = threadSeconds();
        ReportCapture capture = SyntheticCaptures.capture(i);
        madeUp += threadSeconds() - from;
        report.add(capture);
      }
      report.finish();
    }
    say("building, s of processor time", processorSeconds() - before - madeUp, "≤ 15");
    say("size of a small capture, kB", (Files.size(file) - empty) / 1e3 / captures, "≤ 12");
    ReportPage page = ReportPage.load();
    say("app code, kB", (page.js().length() + page.css().length()) / 1e3, "≤ 150");
  }

  private static ReportWriter writer(Path file) throws IOException {
    return new ReportWriter(file, SyntheticCaptures.info("budgets"), ReportLimits.DEFAULT);
  }

  private static void open(ChromeDriver browser, Path file) {
    double[] first = new double[ROUNDS];
    for (int round = 0; round < ROUNDS; round++) {
      browser.get("about:blank");
      browser.get(file.toUri().toString());
      first[round] =
          number(
              browser.executeAsyncScript(
                  "const done = arguments[0]; (function look() { const m ="
                      + " performance.getEntriesByName('camhook:ready')[0]; if (m)"
                      + " done(m.startTime); else setTimeout(look, 2); })()"));
    }
    say("list and first capture, ms, median", median(first), "≤ 600");
    double[] next = new double[30];
    for (int i = 0; i < next.length; i++) {
      next[i] = number(browser.executeAsyncScript(NEXT_TIME));
    }
    say("next capture, ms, median", median(next), "≤ 50");
    say("scrolling, frames a second", number(browser.executeAsyncScript(SCROLL)), "≥ 55");
    browser.executeCdpCommand("HeapProfiler.collectGarbage", Map.of());
    Map<String, Object> heap = browser.executeCdpCommand("Runtime.getHeapUsage", Map.of());
    say("heap, MB", number(heap.get("usedSize")) / 1e6, "≤ 30");
  }

  private static void grid(ChromeDriver browser, Path file) {
    double[] times = new double[ROUNDS];
    for (int round = 0; round < ROUNDS; round++) {
      browser.get("about:blank");
      browser.get(file.toUri() + "#capture=1");
      browser.executeAsyncScript(
          "const done = arguments[0]; (function look() { document.querySelector('#capture h2') ?"
              + " setTimeout(done, 200) : setTimeout(look, 10); })()");
      times[round] = GRID * number(browser.executeAsyncScript(GRID_TIME));
    }
    say(
        "grid of 60 thumbnails with heat, ms, median, " + file.getFileName(),
        median(times),
        "≤ 200");
  }

  private static double number(Object value) {
    return ((Number) value).doubleValue();
  }

  private static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    return sorted[sorted.length / 2];
  }

  private static void say(String what, double found, String budget) {
    double limit = Double.parseDouble(budget.substring(2));
    boolean met = budget.charAt(0) == '≤' ? found <= limit : found >= limit;
    System.out.printf("%s: %.1f, budget %s: %s%n", what, found, budget, met ? "met" : "MISSED");
  }

  private static double threadSeconds() {
    return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime() / 1e9;
  }

  private static double processorSeconds() {
    return ((OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
            .getProcessCpuTime()
        / 1e9;
  }
}
