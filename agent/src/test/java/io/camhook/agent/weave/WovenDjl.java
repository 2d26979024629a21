package io.camhook.agent.weave;

import io.camhook.builtin.Watches;
import io.camhook.capture.CaptureSink;
import io.camhook.capture.CaptureStatus;
import io.camhook.capture.Recorder;
import io.camhook.config.CamhookConfig;
import io.camhook.config.CamhookConfig.CaptureKind;
import io.camhook.dispatch.Dispatch;
import io.camhook.dispatch.EventLog;
import io.camhook.djl.DjlAdapter;
import io.camhook.engine.AdapterContext;
import io.camhook.recording.Capture;
import io.camhook.recording.Counters;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.instrument.Instrumentation;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import net.bytebuddy.agent.ByteBuddyAgent;
import org.awaitility.Awaitility;

/** DJL woven in this JVM, with captures collected in a list. Closing it restores DJL. */
final class WovenDjl implements AutoCloseable {
  final List<Capture> captures = Collections.synchronizedList(new ArrayList<>());
  final List<String> messages = Collections.synchronizedList(new ArrayList<>());
  final List<Throwable> failures = Collections.synchronizedList(new ArrayList<>());
  private final Instrumentation instrumentation = ByteBuddyAgent.install();
  private final Weaver weaver;
  private final Recorder recorder;
  private final DjlAdapter adapter;
  private final Watches watches;

  WovenDjl(CamhookConfig config) {
    EventLog log = new KeptLog(messages, failures);
    recorder =
        new Recorder(
            config.limits(),
            "a list",
            () ->
                new CaptureSink() {
                  @Override
                  public void write(Capture capture) throws IOException {
                    captures.add(kept(capture));
                  }

                  @Override
                  public void close(CaptureStatus status) {}
                },
            log);
    try {
      adapter = new DjlAdapter();
    } catch (NoSuchFieldException e) {
      throw new IllegalStateException(e);
    }
    watches = Watches.of(config, log);
    adapter.start(new AdapterContext(config, recorder, watches, log, true));
    Dispatch.install(adapter);
    weaver = new Weaver(List.of(new DjlWeaver()), (name, loader) -> {}, log);
    weaver.install(instrumentation);
  }

  /** A copy, because the tensors of a capture exist only while it is written. */
  static Capture kept(Capture capture) throws IOException {
    ByteArrayOutputStream blob = new ByteArrayOutputStream();
    capture.write(Channels.newChannel(blob));
    return Capture.read(ByteBuffer.wrap(blob.toByteArray()));
  }

  /** Everything submitted so far, written. */
  List<Capture> captured() {
    Awaitility.await()
        .atMost(Duration.ofSeconds(20))
        .until(() -> counters().fired() == counters().written() + counters().failed());
    return List.copyOf(captures);
  }

  /** What became of the captures so far. */
  Counters counters() {
    return recorder.counters();
  }

  /** Failures of camhook that were counted. */
  long failureCount() {
    return adapter.failures();
  }

  /** Writes what the built-in hooks have buffered. */
  void closeWatches() {
    watches.close();
  }

  @Override
  public void close() {
    weaver.remove(instrumentation);
    Dispatch.install(null);
    adapter.close();
    recorder.close();
  }

  static CamhookConfig capturing(CamhookConfig.Target target, String... layers) {
    return config(1, false, model(target, null, layers));
  }

  static CamhookConfig.Model model(CamhookConfig.Target target, Path labels, String... layers) {
    return new CamhookConfig.Model(
        "net",
        List.of(layers),
        Set.copyOf(EnumSet.allOf(CaptureKind.class)),
        target,
        labels,
        List.of(),
        null);
  }

  static CamhookConfig config(double rate, boolean exact, CamhookConfig.Model... models) {
    return config(rate, exact, "unused", models);
  }

  /** Every pass is sampled; hooks write to {@code directory}. */
  static CamhookConfig config(String directory, CamhookConfig.Model... models) {
    return config(1, false, directory, models);
  }

  private static CamhookConfig config(
      double rate, boolean exact, String directory, CamhookConfig.Model... models) {
    return new CamhookConfig(
        List.of(models),
        new CamhookConfig.Sampling(rate, Double.POSITIVE_INFINITY),
        new CamhookConfig.Limits(1L << 28, CamhookConfig.Limits.WhenFull.BLOCK, exact),
        new CamhookConfig.Output(directory, 1L << 28),
        false);
  }
}
