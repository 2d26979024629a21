package io.camhook.cli;

import io.camhook.recording.Capture;
import io.camhook.recording.Manifest;
import io.camhook.recording.RecordingReader;
import io.camhook.report.ReportLimits;
import io.camhook.report.ReportServer;
import io.camhook.report.ReportSource;
import io.camhook.report.ServedReport;
import io.camhook.report.StatsLines;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.BindException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code camhook serve}: serves the report over HTTP while captures are still being written. */
@Command(
    name = "serve",
    description = {
      "Serves recordings to a browser in pieces: for recordings too large for one file,",
      "and for recordings still being written, whose captures appear as they come, or not begun"
          + " yet.",
      "Accepts connections only from this machine unless --host says otherwise; the address has a",
      "secret token. Ends with Ctrl-C."
    },
    mixinStandardHelpOptions = true,
    versionProvider = ManifestVersion.class,
    sortOptions = false,
    usageHelpAutoWidth = true)
final class ServeCommand implements Callable<Integer> {
  @Spec
  private @SuppressWarnings("NullAway.Init") CommandSpec spec;

  @Parameters(
      paramLabel = "RECORDING|DIR",
      arity = "1..*",
      description = "Recordings, or output directories of camhook process.")
  private List<Path> inputs = new ArrayList<>();

  @Mixin private ExplainOptions explain = new ExplainOptions();

  @Option(
      names = "--port",
      paramLabel = "PORT",
      defaultValue = "0",
      description = "Port to listen on; 0: any free port (default: ${DEFAULT-VALUE}).")
  private int port;

  @Option(
      names = "--host",
      paramLabel = "HOST",
      defaultValue = "127.0.0.1",
      description =
          "Address to listen on; any other than the default lets other machines connect, without"
              + " encryption (default: ${DEFAULT-VALUE}).")
  private String host = "127.0.0.1";

  @Option(
      names = "--truth",
      paramLabel = "FILE",
      description = "pictures.json with masks of the objects in the pictures.")
  private @Nullable Path truth;

  private final CountDownLatch done = new CountDownLatch(1);

  ServeCommand() {}

  @Override
  public Integer call() throws IOException, InterruptedException {
    CaptureExplainer explainer = explain.explainer(spec);
    CaptureReport shown = new CaptureReport(GroundTruth.read(truth));
    List<Source> sources = new ArrayList<>();
    for (Path input : inputs) {
      sources.add(Source.awaited(input));
    }
    PrintWriter out = spec.commandLine().getOut();
    try (ServedReport report = new ServedReport(ReportCommand.info(inputs), ReportLimits.DEFAULT);
        ReportServer server = started(report);
        Feed feed = new Feed(report, explainer, shown, sources)) {
      out.printf("%s%n", server.address());
      out.flush();
      feed.start();
      Thread stop = new Thread(done::countDown, "camhook-stop");
      Runtime.getRuntime().addShutdownHook(stop);
      done.await();
    }
    return 0;
  }

  private ReportServer started(ServedReport report) throws IOException {
    try {
      return ReportServer.start(report, host, port);
    } catch (BindException e) {
      throw new CommandFailure(
          "%s:%d: cannot listen there (%s); choose another with --port"
              .formatted(host, port, e.getMessage()));
    }
  }

  /** Reads the sources into the report, one after the other, and then follows the live ones. */
  private final class Feed implements AutoCloseable {
    private static final int DESCRIBE_EVERY = 20;

    private final ServedReport report;
    private final CaptureExplainer explainer;
    private final CaptureReport shown;
    private final List<Source> sources;
    private final ReportSource[] described;
    private final int[] counts;
    private final List<Thread> threads = new ArrayList<>();
    private volatile boolean closed;

    Feed(ServedReport report, CaptureExplainer explainer, CaptureReport shown, List<Source> sources)
        throws IOException {
      this.report = report;
      this.explainer = explainer;
      this.shown = shown;
      this.sources = sources;
      this.counts = new int[sources.size()];
      this.described = new ReportSource[sources.size()];
      for (int i = 0; i < described.length; i++) {
        describe(i, List.of());
        statistics(i);
      }
    }

    private void statistics(int number) throws IOException {
      List<String> torn = new ArrayList<>();
      Path directory = sources.get(number).directory();
      report.change(statistics -> torn.addAll(StatsLines.read(directory, statistics)));
      torn.forEach(this::say);
    }

    void start() {
      for (int i = 0; i < sources.size(); i++) {
        int number = i;
        Thread thread = new Thread(() -> read(number), "camhook-feed-" + i);
        thread.setDaemon(true);
        threads.add(thread);
        thread.start();
      }
    }

    private void read(int number) {
      Source source = sources.get(number);
      try {
        if (source instanceof Source.Recording recording) {
          follow(number, recording.directory());
        } else {
          try (Progress progress = new Progress("serve", " captures", -1)) {
            List<String> damage =
                source.read(explainer, explanation -> add(number, explanation), progress);
            describe(number, damage);
            damage.forEach(this::say);
          }
        }
      } catch (IOException | RuntimeException e) {
        say(source.directory() + ": reading ended: " + e.getMessage());
        describeSafely(number, List.of("reading ended: " + e.getMessage()));
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt(); // the command ends
      }
    }

    private void follow(int number, Path directory) throws IOException, InterruptedException {
      boolean late = !RecordingReader.existsIn(directory);
      if (late) {
        say(directory + ": waiting for the recording to begin");
      }
      RecordingReader opened = RecordingReader.await(directory, () -> closed);
      if (opened == null) {
        return;
      }
      if (late) {
        statistics(number);
      }
      try (RecordingReader reader = opened) {
        int told = 0;
        Manifest known = reader.manifest();
        CaptureExplainer recorded = explainer.of(known);
        while (!closed) {
          Capture capture = reader.follow(() -> closed, false);
          if (capture == null) {
            break;
          }
          Manifest now = reader.manifest(capture);
          if (now != known) {
            known = now;
            recorded = explainer.of(now);
          }
          for (Explanation explanation : recorded.explain(capture)) {
            add(number, explanation);
          }
          if (++told % DESCRIBE_EVERY == 1) {
            describe(number, texts(reader));
          }
        }
        describe(number, texts(reader));
        texts(reader).forEach(what -> say(directory + ": " + what));
      }
    }

    private List<String> texts(RecordingReader reader) throws IOException {
      return reader.damage().stream().map(Object::toString).toList();
    }

    private void add(int number, Explanation explanation) throws IOException {
      counts[number]++;
      report.add(
          shown.of(explanation).of(number),
          statistics -> CaptureReport.count(explanation, statistics, report.size() - 1));
    }

    private void describe(int number, List<String> damage) throws IOException {
      ReportSource now = sources.get(number).described(counts[number], damage);
      synchronized (described) {
        described[number] = now;
        List<ReportSource> known = new ArrayList<>();
        for (int i = 0; i < described.length; i++) {
          ReportSource source = described[i];
          known.add(source == null ? ReportSource.of(inputs.get(i).toString()) : source);
        }
        report.sources(known);
      }
    }

    private void describeSafely(int number, List<String> damage) {
      try {
        describe(number, damage);
      } catch (IOException | RuntimeException e) {
        say(sources.get(number).directory() + ": " + e.getMessage());
      }
    }

    private void say(String what) {
      spec.commandLine().getErr().println("camhook: " + what);
      spec.commandLine().getErr().flush();
    }

    @Override
    public void close() {
      closed = true;
      threads.forEach(Thread::interrupt);
    }
  }
}
