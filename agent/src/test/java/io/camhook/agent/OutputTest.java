package io.camhook.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.camhook.agent.yaml.ConfigReader;
import io.camhook.agent.yaml.InvalidConfigException;
import io.camhook.agent.yaml.Overrides;
import io.camhook.agent.yaml.SinkReader;
import io.camhook.agent.yaml.ToySink;
import io.camhook.capture.Admission;
import io.camhook.capture.CaptureSink;
import io.camhook.capture.CaptureStatus;
import io.camhook.capture.HeapCapture;
import io.camhook.capture.Recorder;
import io.camhook.config.CamhookConfig;
import io.camhook.dispatch.EventLog;
import io.camhook.recording.Capture;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A sink takes its classes, an entry in the list of {@link Output}, and a key of the schema. */
class OutputTest {
  @TempDir Path directory;

  private final List<String> written = Collections.synchronizedList(new ArrayList<>());

  private final class ToyRecipe implements SinkRecipe {
    @Override
    public SinkReader settings() {
      return ToySink.READER;
    }

    @Override
    public @Nullable Destination destination(
        CamhookConfig config, @Nullable Path yaml, EventLog log) {
      return config.output().sink() instanceof ToySink toy
          ? new Destination(toy.name(), ListSink::new, config.limits())
          : null;
    }
  }

  private final class ListSink implements CaptureSink {
    @Override
    public void write(Capture capture) {
      written.add(capture.model());
    }

    @Override
    public void close(CaptureStatus status) {
      written.add("closed");
    }
  }

  private CamhookConfig read(String yaml, SinkRecipe sink)
      throws IOException, InvalidConfigException {
    Path file = Files.writeString(directory.resolve("camhook.yaml"), yaml);
    return new ConfigReader(
            Overrides.NONE, name -> null, Instant.EPOCH, 1, () -> "h", List.of(sink.settings()))
        .read(file)
        .config();
  }

  @Test
  void sink_of_its_own_should_be_read_from_the_yaml_and_get_the_captures() throws Exception {
    SinkRecipe toy = new ToyRecipe();
    CamhookConfig config = read("output: { toy: { name: shelf } }", toy);
    Recorder recorder = Output.recorder(config, null, EventLog.SILENT, List.of(toy));
    assertThat(recorder.destination()).isEqualTo("shelf");
    try (Admission admission = recorder.admit()) {
      recorder.submit(new HeapCapture(Capture.builder("net").build()));
    }
    recorder.close();
    assertThat(written).containsExactly("net", "closed");
  }

  @Test
  void directory_should_be_the_output_if_no_other_is_configured() throws Exception {
    SinkRecipe toy = new ToyRecipe();
    Path recording = directory.resolve("recording");
    CamhookConfig config = read("output: { directory: '" + recording + "' }", toy);
    Recorder recorder = Output.recorder(config, null, EventLog.SILENT, List.of(toy));
    recorder.submit(new HeapCapture(Capture.builder("net").build()));
    recorder.close();
    assertThat(written).isEmpty();
    assertThat(recording.resolve("captures-000001.tar")).isNotEmptyFile();
  }
}
