package io.camhook.agent.yaml;

import io.camhook.config.SinkSettings;

/** The settings of a sink that only tests know: {@code output: { toy: { name: NAME } }}. */
public record ToySink(String name) implements SinkSettings {
  public static final SinkReader READER =
      (output, reading, process) -> {
        try (Section section = output.section("toy")) {
          Scalar name = section.scalar("name", "a name");
          return name == null ? null : new ToySink(name.text());
        }
      };
}
