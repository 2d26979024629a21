package io.camhook.cli;

import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code camhook status}: shows what the agent does in a JVM. */
@Command(
    name = "status",
    description = "Shows what the agent is doing in a JVM and what it has done.",
    mixinStandardHelpOptions = true,
    versionProvider = ManifestVersion.class,
    usageHelpAutoWidth = true)
final class StatusCommand implements Callable<Integer> {
  @Spec
  private @SuppressWarnings("NullAway.Init") CommandSpec spec;

  @Mixin
  private @SuppressWarnings("NullAway.Init") JvmOptions jvm;

  StatusCommand() {}

  @Override
  public Integer call() throws IOException {
    return jvm.send("command=status", spec);
  }
}
