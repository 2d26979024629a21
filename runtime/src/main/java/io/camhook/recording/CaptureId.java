package io.camhook.recording;

import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.HexFormat;
import java.util.Locale;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Pattern;

/**
 * Ids of captures: unique, sorted by time as text, and safe as file names. {@code
 * 20261124T061530123456Z-9f3a61c2-0000002a} is time, a number drawn once per process and a counter.
 */
final class CaptureId {
  /** Longest id: with {@code .safetensors} it fills the name of a tar entry. */
  static final int MAX_LENGTH = 88;

  private static final Pattern VALID =
      Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0," + (MAX_LENGTH - 1) + "}");
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("uuuuMMdd'T'HHmmssSSSSSS'Z'", Locale.ROOT)
          .withZone(ZoneOffset.UTC);
  private static final int PROCESS = ThreadLocalRandom.current().nextInt();
  private static final AtomicInteger COUNTER = new AtomicInteger();

  private CaptureId() {}

  static String next(Instant time) {
    HexFormat hex = HexFormat.of();
    return TIME.format(time)
        + '-'
        + hex.toHexDigits(PROCESS)
        + '-'
        + hex.toHexDigits(COUNTER.getAndIncrement());
  }

  static boolean isValid(String id) {
    return VALID.matcher(id).matches();
  }
}
