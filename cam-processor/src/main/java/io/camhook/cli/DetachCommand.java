package io.camhook.cli;

import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code camhook detach}: stops the agent in a JVM. */
@Command(
    name = "detach",
    description =
        "Stops the agent in a JVM: restores the original bytecode and writes the waiting captures.",
    mixinStandardHelpOptions = true,
    versionProvider = ManifestVersion.class,
    usageHelpAutoWidth = true)
final class DetachCommand implements Callable<Integer> {
  @Spec
  private @SuppressWarnings("NullAway.Init") CommandSpec spec;

  @Mixin
  private @SuppressWarnings("NullAway.Init") JvmOptions jvm;

  DetachCommand() {}

  @Override
  public Integer call() throws IOException {
    return jvm.send("command=detach", spec);
  }
}
