package io.camhook.agent.yaml;

import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * {@code output.directory}: {@code %t} start time (UTC, {@code 20261124-061500}), {@code %p}
 * process id, {@code %h} host, {@code %%} a percent sign, {@code ${NAME}} and {@code
 * ${NAME:-default}} environment.
 */
final class DirectoryPattern {
  private static final Pattern PLACE =
      Pattern.compile("%(.?)|\\$\\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\\}|(\\$\\{)");
  private static final Pattern VARIABLE =
      Pattern.compile("\\$\\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\\}");
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss").withZone(ZoneOffset.UTC);

  private DirectoryPattern() {}

  /**
   * The directory's name.
   *
   * @throws IllegalArgumentException with what was expected, if the pattern cannot be expanded
   */
  static String expand(String pattern, Process process) {
    Matcher place = PLACE.matcher(pattern);
    StringBuilder expanded = new StringBuilder();
    while (place.find()) {
      place.appendReplacement(expanded, Matcher.quoteReplacement(value(place, process)));
    }
    return place.appendTail(expanded).toString();
  }

  /**
   * {@code ${NAME}} and {@code ${NAME:-default}} alone; everything else stays as it is.
   *
   * @throws IllegalArgumentException if a variable is not set
   */
  static String expandVariables(String text, Process process) {
    Matcher variable = VARIABLE.matcher(text);
    StringBuilder expanded = new StringBuilder();
    while (variable.find()) {
      variable.appendReplacement(
          expanded,
          Matcher.quoteReplacement(environment(variable.group(1), variable.group(2), process)));
    }
    return variable.appendTail(expanded).toString();
  }

  private static String value(Matcher place, Process process) {
    if (place.group(2) != null) {
      return environment(place.group(2), place.group(3), process);
    }
    if (place.group(4) != null) {
      throw new IllegalArgumentException("expected ${NAME} or ${NAME:-default}");
    }
    return switch (place.group(1)) {
      case "t" -> TIME.format(process.start());
      case "p" -> Long.toString(process.pid());
      case "h" -> process.host().get();
      case "%" -> "%";
      default ->
          throw new IllegalArgumentException(
              "expected %t (start time), %p (process id), %h (host) or %%, found \""
                  + place.group()
                  + "\"");
    };
  }

  private static String environment(String name, @Nullable String absent, Process process) {
    String value = process.environment().apply(name);
    if (value != null && !value.isEmpty()) {
      return value;
    }
    if (absent == null) {
      throw new IllegalArgumentException(
          "environment variable %s is not set; set it or write ${%s:-default}"
              .formatted(name, name));
    }
    return absent;
  }

  /** The values that the pattern can refer to. */
  record Process(
      Instant start,
      long pid,
      Supplier<String> host,
      Function<String, @Nullable String> environment) {}
}
