package io.camhook.capture;

import io.camhook.config.CamhookConfig.Limits;
import io.camhook.recording.Capture;
import io.camhook.recording.LayerOutput;
import io.camhook.recording.RecordingWriter;
import io.camhook.recording.Run;
import io.camhook.recording.Tensor;
import io.camhook.recording.TensorName;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;

/**
 * A process that records until it is killed, or ends after a number of captures without closing the
 * queue: the shutdown hook does.
 */
final class EndlessRecording {
  private EndlessRecording() {}

  public static void main(String[] arguments) throws IOException {
    Path directory = Path.of(arguments[0]);
    long count = Long.parseLong(arguments[1]);
    RecordingWriter writer = RecordingWriter.open(directory, Run.begin(null, Map.of()), 8 << 20);
    CaptureQueue queue =
        new CaptureQueue(
            new DirectorySink(writer),
            new Limits(8 << 20, Limits.WhenFull.BLOCK, false),
            (message, failure) -> System.out.println(message));
    queue.closeAtShutdown();
    System.out.println("recording");
    for (long i = 0; i < count; i++) {
      queue.submit(new HeapCapture(capture((int) (i % 1000))));
    }
  }

  /** A capture of about 400 kB. */
  private static Capture capture(int i) {
    float[] values = new float[100_000];
    java.util.Arrays.fill(values, i);
    return Capture.builder("net")
        .tensor(
            TensorName.activation(LayerOutput.of("layer4")), Tensor.ofFloats(values, 1, 100, 1000))
        .build();
  }
}
