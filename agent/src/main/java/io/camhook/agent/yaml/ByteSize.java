package io.camhook.agent.yaml;

import java.math.BigDecimal;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Sizes as people write them: {@code 256MiB}, {@code 1.5 GiB}, {@code 64kB}, {@code 4096}. */
final class ByteSize {
  static final String EXPECTED = "a size such as 256MiB, 1GiB or 65536";

  private static final Pattern FORM = Pattern.compile("(\\d+(?:\\.\\d+)?)\\s*([kKmMgGtT]i?)?[bB]?");
  private static final Map<String, Long> UNITS =
      Map.of(
          "k",
          1000L,
          "ki",
          1L << 10,
          "m",
          1_000_000L,
          "mi",
          1L << 20,
          "g",
          1_000_000_000L,
          "gi",
          1L << 30,
          "t",
          1_000_000_000_000L,
          "ti",
          1L << 40);

  private ByteSize() {}

  /** The bytes; empty if this is not a size, or does not fit into a long. */
  static Optional<Long> parse(String text) {
    Matcher form = FORM.matcher(text.trim());
    if (!form.matches()) {
      return Optional.empty();
    }
    String unit = form.group(2);
    long factor =
        unit == null ? 1 : UNITS.getOrDefault(unit.toLowerCase(java.util.Locale.ROOT), 1L);
    try {
      return Optional.of(
          new BigDecimal(form.group(1)).multiply(BigDecimal.valueOf(factor)).longValueExact());
    } catch (ArithmeticException e) {
      return Optional.empty();
    }
  }
}
