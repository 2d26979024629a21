package io.camhook.report;

import io.camhook.render.Picture;
import java.nio.ByteBuffer;
import java.util.zip.CRC32;
import java.util.zip.CRC32C;

/**
 * A hash of an input (CRC-32C and CRC-32, which the processor computes), equal for equal inputs.
 */
final class Fingerprint {
  private final CRC32C first = new CRC32C();
  private final CRC32 second = new CRC32();

  private Fingerprint() {}

  /** The hash of the picture, signal, volume or text, or of the name if none was recorded. */
  static long of(ReportCapture capture) {
    Fingerprint fingerprint = new Fingerprint();
    Picture picture = capture.picture();
    ReportInput input = capture.input();
    ReportInput.Signal signal = input.signal();
    ReportInput.Volume volume = input.volume();
    if (picture != null) {
      fingerprint.add(ByteBuffer.allocate(4).putInt(0, picture.width()));
      fingerprint.add(ByteBuffer.wrap(picture.rgb()));
    } else if (signal != null) {
      fingerprint.add(signal.values());
    } else if (volume != null) {
      fingerprint.add(volume.values());
    } else if (!input.tokens().isEmpty()) {
      input.tokens().forEach(fingerprint::add);
    } else {
      fingerprint.add(capture.name());
    }
    return fingerprint.first.getValue() << 32 | fingerprint.second.getValue();
  }

  private void add(float[] values) {
    ByteBuffer bytes = ByteBuffer.allocate(Float.BYTES * values.length);
    bytes.asFloatBuffer().put(values);
    add(bytes);
  }

  private void add(String text) {
    ByteBuffer bytes = ByteBuffer.allocate(Character.BYTES * (text.length() + 1));
    bytes.asCharBuffer().put(text);
    add(bytes);
  }

  private void add(ByteBuffer bytes) {
    first.update(bytes.duplicate());
    second.update(bytes.duplicate());
  }
}
