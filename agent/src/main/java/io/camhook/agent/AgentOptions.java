package io.camhook.agent;

import io.camhook.agent.yaml.Overrides;
import io.camhook.agent.yaml.Problem;
import io.camhook.naming.Nearest;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The user's settings outside the YAML: {@code -javaagent:camhook-agent.jar=OPTIONS}, system
 * properties {@code camhook.KEY} and environment variables {@code CAMHOOK_KEY}, in this order of
 * precedence. OPTIONS is just the YAML file, or {@code key=value} pairs separated by commas, where
 * {@code config} names the file. The variable of {@code sampling.maxPerSecond} is {@code
 * CAMHOOK_SAMPLING_MAX_PER_SECOND}.
 */
final class AgentOptions implements Overrides {
  private static final Set<String> OWN = Set.of("config", "onError", "bootstrap", "command");

  private final Map<String, String> options;
  private final Function<String, @Nullable String> properties;
  private final Function<String, @Nullable String> environment;

  private AgentOptions(
      Map<String, String> options,
      Function<String, @Nullable String> properties,
      Function<String, @Nullable String> environment) {
    this.options = options;
    this.properties = properties;
    this.environment = environment;
  }

  /**
   * Reads the text after the {@code =} of {@code -javaagent}.
   *
   * @throws IllegalArgumentException with what was expected, if it has another form
   */
  static AgentOptions parse(
      @Nullable String text,
      Function<String, @Nullable String> properties,
      Function<String, @Nullable String> environment) {
    Map<String, String> options = new LinkedHashMap<>();
    if (text != null && !text.isBlank()) {
      for (String part : text.split(",")) {
        int equals = part.indexOf('=');
        String key =
            equals < 0 && options.isEmpty()
                ? "config"
                : part.substring(0, Math.max(0, equals)).trim();
        if (key.isEmpty()) {
          throw new IllegalArgumentException(
              "agent options: expected key=value, found \"" + part.trim() + "\"");
        }
        if (options.put(key, part.substring(equals + 1).trim()) != null) {
          throw new IllegalArgumentException("agent options: " + key + " is given twice");
        }
      }
    }
    return new AgentOptions(options, properties, environment);
  }

  /**
   * Whether the bootstrap loader is to load the agent's classes. This is checked before anything
   * else, and never fails: {@link #parse} reports mistakes.
   */
  static boolean isBootstrap(@Nullable String text) {
    try {
      return "true".equals(parse(text, System::getProperty, System::getenv).text("bootstrap"));
    } catch (IllegalArgumentException e) {
      return false;
    }
  }

  @Override
  public @Nullable Given find(String key) {
    String option = options.get(key);
    if (option != null) {
      return new Given(option, "agent option " + key);
    }
    String property = properties.apply("camhook." + key);
    if (property != null) {
      return new Given(property, "system property camhook." + key);
    }
    String variable = variable(key);
    String value = environment.apply(variable);
    return value == null ? null : new Given(value, "environment variable " + variable);
  }

  /** The text of a key, or null. */
  @Nullable String text(String key) {
    Given found = find(key);
    return found == null ? null : found.text();
  }

  /** The unknown options, given the keys of the YAML that hold single values. */
  List<Problem> unknown(Set<String> yamlKeys) {
    Set<String> known = new TreeSet<>(yamlKeys);
    known.addAll(OWN);
    List<Problem> problems = new ArrayList<>();
    for (String key : options.keySet()) {
      if (!known.contains(key)) {
        problems.add(
            new Problem(
                "agent option " + key,
                "",
                "no such option%s; expected one of %s"
                    .formatted(Nearest.hint(key, known), String.join(", ", known))));
      }
    }
    String onError = text("onError");
    if (onError != null && !onError.equals("exit") && !onError.equals("continue")) {
      problems.add(
          new Problem(
              "agent option onError", "", "expected exit or continue, found \"" + onError + "\""));
    }
    return problems;
  }

  private static String variable(String key) {
    return "CAMHOOK_"
        + key.replaceAll("([a-z])([A-Z])", "$1_$2")
            .replaceAll("[^A-Za-z0-9]+", "_")
            .toUpperCase(Locale.ROOT);
  }
}
