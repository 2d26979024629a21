package io.camhook.report;

import io.camhook.render.Picture;

/** A hash of an input (64-bit FNV-1a), equal for equal inputs. */
final class Fingerprint {
  private static final long PRIME = 0x100000001b3L;

  private long hash = 0xcbf29ce484222325L;

  private Fingerprint() {}

  /** The number of the picture, signal, volume or text; of the name where none was recorded. */
  static long of(ReportCapture capture) {
    Fingerprint fingerprint = new Fingerprint();
    Picture picture = capture.picture();
    ReportInput input = capture.input();
    ReportInput.Signal signal = input.signal();
    ReportInput.Volume volume = input.volume();
    if (picture != null) {
      fingerprint.add(picture.width());
      for (byte b : picture.rgb()) {
        fingerprint.add(b);
      }
    } else if (signal != null) {
      fingerprint.add(signal.values());
    } else if (volume != null) {
      fingerprint.add(volume.values());
    } else if (!input.tokens().isEmpty()) {
      input.tokens().forEach(word -> fingerprint.add(word.hashCode()));
    } else {
      fingerprint.add(capture.name().hashCode());
    }
    return fingerprint.hash;
  }

  private void add(float[] values) {
    for (float value : values) {
      add(Float.floatToIntBits(value));
    }
  }

  private void add(int value) {
    hash = (hash ^ value) * PRIME;
  }
}
