package io.camhook.agent;

import io.camhook.agent.yaml.PublishedYaml;
import io.camhook.capture.CaptureQueue;
import io.camhook.capture.CaptureReducer;
import io.camhook.capture.CaptureSink;
import io.camhook.capture.DirectorySink;
import io.camhook.capture.Recorder;
import io.camhook.config.CamhookConfig;
import io.camhook.config.KafkaOutput;
import io.camhook.dispatch.EventLog;
import io.camhook.recording.RecordingWriter;
import io.camhook.recording.Run;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Opens the sink that the configuration's {@code output} names. New sinks are added here. */
final class Output {
  /** A sink that sends gets one part in this many of {@code limits.queue}, for its own copies. */
  private static final int SHARE_OF_SENDER = 4;

  private Output() {}

  /**
   * The recorder of this JVM.
   *
   * @param yaml the configuration file, kept with the recording
   */
  static Recorder recorder(CamhookConfig config, @Nullable Path yaml, EventLog log) {
    Destination destination = destination(config, yaml, log);
    return new Recorder(
        destination.limits(),
        destination.name(),
        destination.opener(),
        new CaptureReducer(config.models()),
        log);
  }

  /** A sink: its name in messages, how to open it, and the bytes left for the queue. */
  private record Destination(
      String name, Recorder.SinkOpener opener, CamhookConfig.Limits limits) {}

  private static Destination destination(CamhookConfig config, @Nullable Path yaml, EventLog log) {
    KafkaOutput kafka = config.output().kafka();
    if (kafka != null) {
      long bytes = CaptureQueue.capacity(config.limits());
      long own = bytes / SHARE_OF_SENDER;
      sayIfMissing(kafka, log);
      return new Destination(
          kafka.toString(),
          () -> kafka(config, kafka, yaml, own, log),
          config.limits().withQueue(bytes - own));
    }
    String directory = config.output().directory();
    return directory == null
        ? new Destination("nowhere", Output::nothing, config.limits())
        : new Destination(
            directory, () -> directory(Path.of(directory), yaml, config.output()), config.limits());
  }

  private static CaptureSink directory(
      Path directory, @Nullable Path yaml, CamhookConfig.Output output) throws IOException {
    return new DirectorySink(
        RecordingWriter.open(directory, Run.begin(published(yaml), Map.of()), output));
  }

  private static @Nullable String published(@Nullable Path yaml) throws IOException {
    return yaml == null ? null : PublishedYaml.of(Files.readString(yaml));
  }

  private static CaptureSink nothing() throws IOException {
    throw new IOException("the configuration names no output");
  }

  private static CaptureSink kafka(
      CamhookConfig config, KafkaOutput kafka, @Nullable Path yaml, long bytes, EventLog log)
      throws IOException {
    try {
      return AdapterLoader.kafka(KafkaJars.loader(kafka)).open(config, published(yaml), bytes, log);
    } catch (ReflectiveOperationException | LinkageError e) {
      throw new IOException("kafka-clients does not fit output.kafka: " + e, e);
    }
  }

  /** Warns at the start, when people read the log, rather than with the first capture. */
  private static void sayIfMissing(KafkaOutput kafka, EventLog log) {
    try {
      KafkaJars.find(kafka);
    } catch (IOException e) {
      log.warn(String.valueOf(e.getMessage()));
    }
  }
}
