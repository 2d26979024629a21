package io.camhook.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code camhook attach}: loads the agent into a running JVM. */
@Command(
    name = "attach",
    description = {
      "Loads the agent into a running JVM.",
      "Models of Java blocks that are already loaded are hooked at once. A TorchScript model that"
          + " is already loaded shows only '.', its input and output, until the application loads"
          + " it again."
    },
    mixinStandardHelpOptions = true,
    versionProvider = ManifestVersion.class,
    usageHelpAutoWidth = true)
final class AttachCommand implements Callable<Integer> {
  @Spec
  private @SuppressWarnings("NullAway.Init") CommandSpec spec;

  @Mixin
  private @SuppressWarnings("NullAway.Init") JvmOptions jvm;

  @Parameters(index = "1", paramLabel = "YAML", description = "Configuration, as for -javaagent.")
  private @SuppressWarnings("NullAway.Init") Path yaml;

  @Option(
      names = "--set",
      paramLabel = "KEY=VALUE",
      description = "Overrides a YAML key, such as sampling.rate=1.")
  private Map<String, String> overrides = new LinkedHashMap<>();

  AttachCommand() {}

  @Override
  public Integer call() throws IOException {
    if (!Files.isRegularFile(yaml)) {
      throw new NoSuchFileException(yaml.toString());
    }
    StringBuilder options =
        new StringBuilder("command=attach,config=").append(valid(yaml.toRealPath().toString()));
    overrides.forEach(
        (key, value) -> options.append(',').append(valid(key)).append('=').append(valid(value)));
    return jvm.send(options.toString(), spec);
  }

  /** Agent options have no way to write a comma. */
  private String valid(String text) {
    if (text.contains(",")) {
      throw new ParameterException(
          spec.commandLine(), "'" + text + "' has a comma, which separates the agent's options");
    }
    return text;
  }
}
