package io.camhook.agent;

import io.camhook.agent.yaml.PublishedYaml;
import io.camhook.agent.yaml.SinkReader;
import io.camhook.capture.CaptureReducer;
import io.camhook.capture.CaptureSink;
import io.camhook.capture.DirectorySink;
import io.camhook.capture.Recorder;
import io.camhook.config.CamhookConfig;
import io.camhook.dispatch.EventLog;
import io.camhook.recording.RecordingWriter;
import io.camhook.recording.Run;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Opens the sink that the configuration's {@code output} names: the directory if no other. */
final class Output {
  /** New kinds of sinks are added here. */
  private static final List<SinkRecipe> SINKS = List.of(new KafkaRecipe());

  private Output() {}

  /** Read the settings of all kinds of sinks. */
  static List<SinkReader> settings() {
    return SINKS.stream().map(SinkRecipe::settings).toList();
  }

  /**
   * The recorder of this JVM.
   *
   * @param yaml the configuration file, kept with the recording
   */
  static Recorder recorder(CamhookConfig config, @Nullable Path yaml, EventLog log) {
    return recorder(config, yaml, log, SINKS);
  }

  /** The same with other kinds of sinks. */
  static Recorder recorder(
      CamhookConfig config, @Nullable Path yaml, EventLog log, List<SinkRecipe> sinks) {
    Destination destination = destination(config, yaml, log, sinks);
    return new Recorder(
        destination.limits(),
        destination.name(),
        destination.opener(),
        new CaptureReducer(config.models()),
        log);
  }

  private static Destination destination(
      CamhookConfig config, @Nullable Path yaml, EventLog log, List<SinkRecipe> sinks) {
    for (SinkRecipe sink : sinks) {
      Destination destination = sink.destination(config, yaml, log);
      if (destination != null) {
        return destination;
      }
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

  /** The text of the configuration that is kept with captures; null if there is none. */
  static @Nullable String published(@Nullable Path yaml) throws IOException {
    return yaml == null ? null : PublishedYaml.of(Files.readString(yaml));
  }

  private static CaptureSink nothing() throws IOException {
    throw new IOException("the configuration names no output");
  }
}
