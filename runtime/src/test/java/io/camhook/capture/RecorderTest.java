package io.camhook.capture;

import static org.assertj.core.api.Assertions.assertThat;

import io.camhook.config.CamhookConfig.Limits;
import io.camhook.dispatch.EventLog;
import io.camhook.recording.Capture;
import io.camhook.recording.Counters;
import io.camhook.recording.ModelContent;
import io.camhook.recording.ModelFile;
import io.camhook.recording.ModelInfo;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RecorderTest {
  private final List<String> log = Collections.synchronizedList(new ArrayList<>());
  private final List<ModelInfo> models = Collections.synchronizedList(new ArrayList<>());
  @TempDir Path folder;
  private final List<String> sunk = Collections.synchronizedList(new ArrayList<>());

  @Test
  void recorder_should_open_its_sink_for_the_first_capture_and_close_it_with_the_counters() {
    Recorder recorder = recorder(this::open);
    recorder.model(new ModelInfo("m", List.of()));
    assertThat(sunk).isEmpty();
    recorder.submit(new Heap());
    recorder.submit(new Heap());
    recorder.close();
    recorder.close();

    assertThat(sunk)
        .containsExactly(
            "open", "model m", "capture m", "capture m", "close " + new Counters(2, 2, 0, 0));
    assertThat(log).containsExactly("2 of 2 captures written to there, 0 dropped, 0 failed");
  }

  @Test
  void hash_of_a_models_file_should_be_noted_at_the_end_without_the_requests_waiting()
      throws IOException {
    // FIPS 180-2, appendix B.1
    String sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    ModelFile file = ModelFile.of(Files.writeString(folder.resolve("m.pt"), "abc"));
    Recorder recorder = recorder(this::open);
    recorder.model(new ModelInfo("m", List.of()), file);
    recorder.submit(new Heap());
    recorder.model(new ModelInfo("m", List.of()).with("a note"));
    recorder.close();
    assertThat(models.get(models.size() - 1))
        .isEqualTo(new ModelInfo("m", List.of()).with("a note").hashed(sha256));
  }

  @Test
  void file_that_was_replaced_should_have_no_hash_but_the_reason() throws IOException {
    ModelFile file = ModelFile.of(Files.writeString(folder.resolve("m.pt"), "abc"));
    Files.writeString(folder.resolve("m.pt"), "another model");
    Recorder recorder = recorder(this::open);
    recorder.model(new ModelInfo("m", List.of()), file);
    recorder.submit(new Heap());
    recorder.close();
    ModelInfo last = models.get(models.size() - 1);
    assertThat(last.sha256()).isNull();
    assertThat(last.notes())
        .singleElement()
        .asString()
        .startsWith("no hash: its file could not be read: ")
        .endsWith("was changed after the model had been loaded from it");
  }

  @Test
  void parameters_should_be_hashed_once_and_their_memory_be_freed() throws IOException {
    Recorder recorder = recorder(this::open);
    Parameters first = new Parameters(3);
    ModelInfo model = new ModelInfo("m", List.of());
    recorder.captured(model, () -> first);
    recorder.submit(new Heap());
    recorder.captured(
        model,
        () -> {
          throw new AssertionError("a second model of that name is not read");
        });
    recorder.close();
    assertThat(models.get(models.size() - 1))
        .isEqualTo(
            model
                .hashedByParameters("hash")
                .with("several models had this name: the hash is that of the first captured one"));
    assertThat(first.closed).isTrue();
  }

  @Test
  void parameters_that_take_too_long_should_have_no_hash_but_the_reason() {
    Recorder recorder = recorder(this::open);
    Parameters large = new Parameters(ModelHashes.LARGEST + 1);
    recorder.captured(new ModelInfo("m", List.of()), () -> large);
    recorder.submit(new Heap());
    recorder.close();
    ModelInfo last = models.get(models.size() - 1);
    assertThat(last.parametersSha256()).isNull();
    assertThat(last.notes())
        .containsExactly("no hash: reading 4294967297 bytes of its parameters takes too long");
    assertThat(large.closed).isTrue();
  }

  @Test
  void parameters_should_be_freed_where_no_capture_is_written() {
    Recorder recorder = recorder(this::open);
    Parameters parameters = new Parameters(3);
    recorder.captured(new ModelInfo("m", List.of()), () -> parameters);
    recorder.lost();
    recorder.close();
    assertThat(sunk).doesNotContain("open");
    assertThat(parameters.closed).isTrue();
  }

  @Test
  void sink_that_cannot_be_opened_should_be_reported_once_and_every_capture_counted() {
    Recorder recorder =
        recorder(
            () -> {
              throw new IOException("disk is full");
            });
    recorder.submit(new Heap());
    recorder.submit(new Heap());
    recorder.close();

    assertThat(recorder.counters()).isEqualTo(new Counters(2, 0, 0, 2));
    assertThat(log).hasSize(2);
    assertThat(log.get(0)).contains("disk is full");
    assertThat(log.get(1))
        .isEqualTo(
            "0 of 2 captures written to there, 0 dropped, 2 failed (output failed until the end:"
                + " 2)");
  }

  @Test
  void run_without_captures_should_open_and_say_nothing() {
    recorder(this::open).close();
    assertThat(sunk).isEmpty();
    assertThat(log).isEmpty();
  }

  @Test
  void closed_recorder_should_give_captures_back() {
    Recorder recorder = recorder(this::open);
    recorder.close();
    Heap capture = new Heap();
    assertThat(recorder.submit(capture)).isFalse();
    assertThat(capture.discarded).isTrue();
  }

  private Recorder recorder(Recorder.SinkOpener opener) {
    EventLog lines =
        new EventLog() {
          @Override
          public void info(String message) {
            log.add(message);
          }

          @Override
          public void warn(String message) {
            log.add(message);
          }

          @Override
          public void failure(String message, Throwable cause) {
            log.add(message + cause);
          }
        };
    return new Recorder(new Limits(1 << 20, Limits.WhenFull.DROP, false), "there", opener, lines);
  }

  private CaptureSink open() {
    sunk.add("open");
    return new CaptureSink() {
      @Override
      public void write(Capture capture) {
        sunk.add("capture " + capture.model());
      }

      @Override
      public void model(ModelInfo model) {
        models.add(model);
        sunk.add("model " + model.name());
      }

      @Override
      public void close(CaptureStatus status) {
        sunk.add("close " + status.counters());
      }
    };
  }

  private static final class Parameters implements ModelContent {
    private final long size;
    volatile boolean closed;

    Parameters(long size) {
      this.size = size;
    }

    @Override
    public String what() {
      return "parameters";
    }

    @Override
    public long size() {
      return size;
    }

    @Override
    public String sha256(Pace pace) {
      return "hash";
    }

    @Override
    public ModelInfo hashed(ModelInfo model, String sha256) {
      return model.hashedByParameters(sha256);
    }

    @Override
    public void close() {
      closed = true;
    }
  }

  private static final class Heap implements PendingCapture {
    boolean discarded;

    @Override
    public long bytes() {
      return 1;
    }

    @Override
    public Capture materialize() {
      return Capture.builder("m").build();
    }

    @Override
    public void discard() {
      discarded = true;
    }
  }
}
