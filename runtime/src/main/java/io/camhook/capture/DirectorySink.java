package io.camhook.capture;

import io.camhook.recording.Capture;
import io.camhook.recording.ModelInfo;
import io.camhook.recording.RecordingWriter;
import java.io.IOException;

/** Writes captures to a recording on disk. */
public final class DirectorySink implements CaptureSink {
  private final RecordingWriter writer;

  /**
   * @param writer is closed with the sink
   */
  public DirectorySink(RecordingWriter writer) {
    this.writer = writer;
  }

  @Override
  public void write(Capture capture) throws IOException {
    writer.append(capture);
  }

  @Override
  public void model(ModelInfo model) throws IOException {
    writer.model(model);
  }

  @Override
  public void note(CaptureStatus status) throws IOException {
    writer.note(status.counters(), status.lossesByReason());
  }

  @Override
  public long gone() {
    return writer.gone();
  }

  @Override
  public void close(CaptureStatus status) throws IOException {
    writer.close(status.counters(), status.lossesByReason());
  }
}
