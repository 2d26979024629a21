package io.camhook.kafka;

import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Removes the secret values of a client's properties from messages. Immutable. */
final class Secrets {
  private static final Pattern KEY =
      Pattern.compile(
          "(?i).*(passw|secret|jaas|token|credential|private|\\.key$|keystore\\.key).*");
  private static final Pattern QUOTED = Pattern.compile("=\\s*(\"[^\"]*\"|'[^']*'|[^\\s;\"']+)");

  private final Set<String> values =
      new TreeSet<>(
          (a, b) -> {
            int byLength = Integer.compare(b.length(), a.length()); // the longest first
            return byLength == 0 ? a.compareTo(b) : byLength;
          });

  Secrets(Map<String, String> properties) {
    properties.forEach(
        (key, value) -> {
          if (KEY.matcher(key).matches()) {
            add(value);
            Matcher inside = QUOTED.matcher(value);
            while (inside.find()) {
              add(inside.group(1).replaceAll("^[\"']|[\"']$", ""));
            }
          }
        });
  }

  private void add(String value) {
    if (!value.isBlank()) {
      values.add(value);
    }
  }

  String hide(String message) {
    String hidden = message;
    for (String value : values) {
      hidden = hidden.replace(value, "***");
    }
    return hidden;
  }
}
