package io.camhook.agent;

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
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Opens what {@code output} of the configuration names. */
final class Output {
  private Output() {}

  /**
   * The recorder of this JVM.
   *
   * @param yaml the configuration file, kept with the recording
   */
  static Recorder recorder(CamhookConfig config, @Nullable Path yaml, EventLog log) {
    CamhookConfig.Output output = config.output();
    String directory = output.directory();
    return directory == null
        ? new Recorder(config.limits(), "Kafka", Output::kafka, log)
        : new Recorder(
            config.limits(),
            directory,
            () -> directory(Path.of(directory), yaml, output.shardBytes()),
            log);
  }

  private static CaptureSink directory(Path directory, @Nullable Path yaml, long shardBytes)
      throws IOException {
    Run run = Run.begin(yaml == null ? null : Files.readString(yaml), Map.of());
    return new DirectorySink(RecordingWriter.open(directory, run, shardBytes));
  }

  private static CaptureSink kafka() throws IOException {
    throw new IOException("output.kafka: this agent has no Kafka client; use output.directory");
  }
}
