package io.camhook.agent.yaml;

import java.math.BigDecimal;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Times as people write them: {@code 500ms}, {@code 1.5 s}, {@code 10m}, {@code 12h}, {@code 7d}.
 */
final class TimeSpan {
  static final String EXPECTED = "a time such as 500ms, 10s, 5m, 12h or 7d";

  private static final Pattern FORM = Pattern.compile("(\\d+(?:\\.\\d+)?)\\s*(ms|s|m|min|h|d)?");
  private static final Map<String, Long> MILLIS =
      Map.of("ms", 1L, "s", 1000L, "m", 60_000L, "min", 60_000L, "h", 3_600_000L, "d", 86_400_000L);

  /** Two centuries: what fits into the nanoseconds of a long. */
  private static final BigDecimal MOST = BigDecimal.valueOf(73_000L * 86_400_000L);

  private TimeSpan() {}

  /** The time; a plain number means seconds. Empty if this is not a time. */
  static Optional<Duration> parse(String text) {
    Matcher form = FORM.matcher(text.trim());
    if (!form.matches()) {
      return Optional.empty();
    }
    long unit = MILLIS.getOrDefault(form.group(2) == null ? "s" : form.group(2), 1000L);
    BigDecimal millis = new BigDecimal(form.group(1)).multiply(BigDecimal.valueOf(unit));
    return millis.compareTo(MOST) > 0
        ? Optional.empty()
        : Optional.of(Duration.ofMillis(millis.longValue()));
  }
}
