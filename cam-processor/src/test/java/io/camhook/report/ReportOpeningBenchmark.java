package io.camhook.report;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import org.openqa.selenium.chrome.ChromeDriver;

/**
 * What a report of many captures costs: processor time to build it, without that of making up the
 * captures; its size; and how long it takes to open in Chromium from {@code file://}: from
 * navigation to the list and the first capture on the screen. Argument: number of captures (10 000
 * is the budget's).
 */
final class ReportOpeningBenchmark {
  private ReportOpeningBenchmark() {}

  public static void main(String[] args) throws Exception {
    int captures = args.length > 0 ? Integer.parseInt(args[0]) : 10_000;
    Path file = Files.createTempFile("report", ".html");
    ChromeDriver browser = null;
    try {
      long start = System.nanoTime();
      double before = processorSeconds();
      double madeUp = 0;
      try (ReportWriter report =
          new ReportWriter(file, SyntheticCaptures.info("opening"), ReportLimits.DEFAULT)) {
        for (int i = 0; i < captures; i++) {
          double from = threadSeconds();
          ReportCapture capture = SyntheticCaptures.capture(i);
          madeUp += threadSeconds() - from;
          report.add(capture);
        }
        report.finish();
      }
      System.out.printf(
          "%d captures, %.1f MB, written in %.1f s, %.1f s of processor time; %.1f s more made them"
              + " up%n",
          captures,
          Files.size(file) / 1e6,
          (System.nanoTime() - start) / 1e9,
          processorSeconds() - before - madeUp,
          madeUp);
      browser = Browser.start();
      for (int run = 1; run <= 5; run++) {
        browser.get("about:blank");
        browser.get(file.toUri().toString());
        Object ready =
            browser.executeScript(
                "const at = name => Math.round(performance.getEntriesByName(name)[0].startTime);"
                    + "const n = performance.getEntriesByType('navigation')[0];"
                    + "return `list and first capture ${at('camhook:ready')} ms, whole file read"
                    + " ${Math.round(n.domContentLoadedEventStart)} ms`");
        System.out.println("run " + run + ": " + ready);
      }
    } finally {
      if (browser != null) {
        browser.quit();
      }
      Files.deleteIfExists(file);
    }
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
