package io.camhook.agent;

import io.camhook.agent.yaml.PublishedYaml;
import io.camhook.capture.CaptureSink;
import io.camhook.capture.DirectorySink;
import io.camhook.capture.KeptTensors;
import io.camhook.capture.Recorder;
import io.camhook.config.CamhookConfig;
import io.camhook.dispatch.EventLog;
import io.camhook.recording.RecordingWriter;
import io.camhook.recording.Run;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Opens what {@code output} of the configuration names: the place where a new sink is added. */
final class Output {
  private Output() {}

  /**
   * The recorder of this JVM.
   *
   * @param yaml the configuration file, kept with the recording
   */
  static Recorder recorder(CamhookConfig config, @Nullable Path yaml, EventLog log) {
    Destination destination = destination(config.output(), yaml);
    return new Recorder(
        config.limits(),
        destination.name(),
        destination.opener(),
        new KeptTensors(config.models()),
        log);
  }

  /** What messages call a sink, and how it is opened. */
  private record Destination(String name, Recorder.SinkOpener opener) {}

  private static Destination destination(CamhookConfig.Output output, @Nullable Path yaml) {
    String directory = output.directory();
    if (directory == null) {
      return new Destination("nowhere", Output::nothing);
    }
    return new Destination(directory, () -> directory(Path.of(directory), yaml, output));
  }

  private static CaptureSink directory(
      Path directory, @Nullable Path yaml, CamhookConfig.Output output) throws IOException {
    String text = yaml == null ? null : PublishedYaml.of(Files.readString(yaml));
    return new DirectorySink(RecordingWriter.open(directory, Run.begin(text, Map.of()), output));
  }

  private static CaptureSink nothing() throws IOException {
    throw new IOException("the configuration names no output");
  }
}
